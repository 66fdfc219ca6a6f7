/** containerd's event stream (containerd.services.events.v1) and the task events that tell about containers. */
export const containerdEventFacts = `
rpc Events Subscribe SubscribeRequest stream Envelope
message SubscribeRequest 1:filters:*string
message Timestamp 1:seconds:int64 2:nanos:int32
message Any 1:typeUrl:string 2:value:bytes
message Envelope 1:timestamp:Timestamp 2:namespace:string 3:topic:string 4:event:Any
message TaskExit 1:containerId:string 2:id:string 3:pid:uint32 4:exitStatus:uint32 5:exitedAt:Timestamp
message TaskDelete 1:containerId:string 2:pid:uint32 3:exitStatus:uint32 4:exitedAt:Timestamp 5:id:string
message TaskOOM 1:containerId:string
`;
