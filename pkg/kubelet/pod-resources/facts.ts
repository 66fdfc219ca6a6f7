/** The pod resources API (v1, and what is left of v1alpha1) as facts, in the notation of the CRI's. */
export const podResourcesFacts = `
rpc PodResourcesLister List ListPodResourcesRequest ListPodResourcesResponse
rpc PodResourcesLister GetAllocatableResources AllocatableResourcesRequest AllocatableResourcesResponse
rpc PodResourcesLister Get GetPodResourcesRequest GetPodResourcesResponse
message ListPodResourcesRequest
message ListPodResourcesResponse 1:podResources:*PodResources
message AllocatableResourcesRequest
message AllocatableResourcesResponse 1:devices:*ContainerDevices 2:cpuIds:*int64 3:memory:*ContainerMemory
message GetPodResourcesRequest 1:podName:string 2:podNamespace:string
message GetPodResourcesResponse 1:podResources:PodResources
message PodResources 1:name:string 2:namespace:string 3:containers:*ContainerResources
message ContainerResources 1:name:string 2:devices:*ContainerDevices 3:cpuIds:*int64 4:memory:*ContainerMemory 5:dynamicResources:*DynamicResource
message DynamicResource 2:claimName:string 3:claimNamespace:string 4:claimResources:*ClaimResource
message ClaimResource 1:cdiDevices:*CDIDevice 2:driverName:string 3:poolName:string 4:deviceName:string 5:shareId:string
message CDIDevice 1:name:string
message ContainerMemory 1:memoryType:string 2:size:uint64 3:topology:TopologyInfo
message ContainerDevices 1:resourceName:string 2:deviceIds:*string 3:topology:TopologyInfo
message TopologyInfo 1:nodes:*NUMANode
message NUMANode 1:id:int64
`;

export const podResourcesAlphaFacts = `
rpc PodResourcesLister List ListPodResourcesRequest ListPodResourcesResponse
message ListPodResourcesRequest
message ListPodResourcesResponse 1:podResources:*PodResources
message PodResources 1:name:string 2:namespace:string 3:containers:*ContainerResources
message ContainerResources 1:name:string 2:devices:*ContainerDevices
message ContainerDevices 1:resourceName:string 2:deviceIds:*string
`;
