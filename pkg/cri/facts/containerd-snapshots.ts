/** Of containerd's snapshot service (containerd.services.snapshots.v1): views of what images hold. */
export const containerdSnapshotFacts = `
rpc Snapshots View ViewSnapshotRequest ViewSnapshotResponse
rpc Snapshots Mounts MountsRequest MountsResponse
rpc Snapshots Remove RemoveSnapshotRequest Empty
message ViewSnapshotRequest 1:snapshotter:string 2:key:string 3:parent:string 4:labels:map
message ViewSnapshotResponse 1:mounts:*Mount
message MountsRequest 1:snapshotter:string 2:key:string
message MountsResponse 1:mounts:*Mount
message RemoveSnapshotRequest 1:snapshotter:string 2:key:string
message Empty
message Mount 1:type:string 2:source:string 3:target:string 4:options:*string
`;
