/** How plugins of all kinds register by a socket in a directory (package `pluginregistration`), in the notation of the CRI's. */
export const pluginRegistrationFacts = `
rpc Registration GetInfo InfoRequest PluginInfo
rpc Registration NotifyRegistrationStatus RegistrationStatus RegistrationStatusResponse
message InfoRequest
message PluginInfo 1:type:string 2:name:string 3:endpoint:string 4:supportedVersions:*string
message RegistrationStatus 1:pluginRegistered:bool 2:error:string
message RegistrationStatusResponse
`;

/** What the kubelet asks of a driver of devices; v1beta1 has all but the share. */
export const draPluginFacts = `
rpc DRAPlugin NodePrepareResources NodePrepareResourcesRequest NodePrepareResourcesResponse
rpc DRAPlugin NodeUnprepareResources NodeUnprepareResourcesRequest NodeUnprepareResourcesResponse
message Claim 1:namespace:string 2:uid:string 3:name:string
message Device 1:requestNames:*string 2:poolName:string 3:deviceName:string 4:cdiDeviceIds:*string 5:shareId:string
message NodePrepareResourcesRequest 1:claims:*Claim
message NodePrepareResourceResponse 1:devices:*Device 2:error:string
message NodePrepareResourcesResponse 1:claims:map:NodePrepareResourceResponse
message NodeUnprepareResourcesRequest 1:claims:*Claim
message NodeUnprepareResourceResponse 1:error:string
message NodeUnprepareResourcesResponse 1:claims:map:NodeUnprepareResourceResponse
`;
