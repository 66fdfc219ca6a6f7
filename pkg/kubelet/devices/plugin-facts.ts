/** The device plugin protocol (v1beta1) as facts, in the notation of the CRI's. */
export const devicePluginFacts = `
rpc Registration Register RegisterRequest Empty
rpc DevicePlugin GetDevicePluginOptions Empty DevicePluginOptions
rpc DevicePlugin ListAndWatch Empty stream ListAndWatchResponse
rpc DevicePlugin GetPreferredAllocation PreferredAllocationRequest PreferredAllocationResponse
rpc DevicePlugin Allocate AllocateRequest AllocateResponse
rpc DevicePlugin PreStartContainer PreStartContainerRequest PreStartContainerResponse
message Empty
message DevicePluginOptions 1:preStartRequired:bool 2:getPreferredAllocationAvailable:bool
message RegisterRequest 1:version:string 2:endpoint:string 3:resourceName:string 4:options:DevicePluginOptions
message NUMANode 1:id:int64
message TopologyInfo 1:nodes:*NUMANode
message Device 1:id:string 2:health:string 3:topology:TopologyInfo
message ListAndWatchResponse 1:devices:*Device
message ContainerPreferredAllocationRequest 1:availableDeviceIds:*string 2:mustIncludeDeviceIds:*string 3:allocationSize:int32
message PreferredAllocationRequest 1:containerRequests:*ContainerPreferredAllocationRequest
message ContainerPreferredAllocationResponse 1:deviceIds:*string
message PreferredAllocationResponse 1:containerResponses:*ContainerPreferredAllocationResponse
message ContainerAllocateRequest 1:devicesIds:*string
message AllocateRequest 1:containerRequests:*ContainerAllocateRequest
message Mount 1:containerPath:string 2:hostPath:string 3:readOnly:bool
message DeviceSpec 1:containerPath:string 2:hostPath:string 3:permissions:string
message CDIDevice 1:name:string
message ContainerAllocateResponse 1:envs:map 2:mounts:*Mount 3:devices:*DeviceSpec 4:annotations:map 5:cdiDevices:*CDIDevice
message AllocateResponse 1:containerResponses:*ContainerAllocateResponse
message PreStartContainerRequest 1:devicesIds:*string
message PreStartContainerResponse
`;
