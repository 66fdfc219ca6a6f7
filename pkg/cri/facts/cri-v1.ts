/**
 * The CRI v1 protocol (runtime.v1) as facts: services, enums and messages with their field numbers; Windows parts left out.
 *
 *   rpc SERVICE METHOD REQUEST [stream] RESPONSE
 *   enum NAME VALUE=NUMBER ...
 *   message NAME NUMBER:FIELD:TYPE ...      (`*TYPE` is repeated, `map` is string to string, `map:TYPE` to a message)
 */
export const criFacts = `
rpc RuntimeService Version VersionRequest VersionResponse
rpc RuntimeService RunPodSandbox RunPodSandboxRequest RunPodSandboxResponse
rpc RuntimeService StopPodSandbox StopPodSandboxRequest StopPodSandboxResponse
rpc RuntimeService RemovePodSandbox RemovePodSandboxRequest RemovePodSandboxResponse
rpc RuntimeService PodSandboxStatus PodSandboxStatusRequest PodSandboxStatusResponse
rpc RuntimeService ListPodSandbox ListPodSandboxRequest ListPodSandboxResponse
rpc RuntimeService StreamPodSandboxes StreamPodSandboxesRequest stream StreamPodSandboxesResponse
rpc RuntimeService CreateContainer CreateContainerRequest CreateContainerResponse
rpc RuntimeService StartContainer StartContainerRequest StartContainerResponse
rpc RuntimeService StopContainer StopContainerRequest StopContainerResponse
rpc RuntimeService RemoveContainer RemoveContainerRequest RemoveContainerResponse
rpc RuntimeService ListContainers ListContainersRequest ListContainersResponse
rpc RuntimeService StreamContainers StreamContainersRequest stream StreamContainersResponse
rpc RuntimeService ContainerStatus ContainerStatusRequest ContainerStatusResponse
rpc RuntimeService UpdateContainerResources UpdateContainerResourcesRequest UpdateContainerResourcesResponse
rpc RuntimeService ReopenContainerLog ReopenContainerLogRequest ReopenContainerLogResponse
rpc RuntimeService ExecSync ExecSyncRequest ExecSyncResponse
rpc RuntimeService Exec ExecRequest ExecResponse
rpc RuntimeService Attach AttachRequest AttachResponse
rpc RuntimeService PortForward PortForwardRequest PortForwardResponse
rpc RuntimeService ContainerStats ContainerStatsRequest ContainerStatsResponse
rpc RuntimeService ListContainerStats ListContainerStatsRequest ListContainerStatsResponse
rpc RuntimeService StreamContainerStats StreamContainerStatsRequest stream StreamContainerStatsResponse
rpc RuntimeService PodSandboxStats PodSandboxStatsRequest PodSandboxStatsResponse
rpc RuntimeService ListPodSandboxStats ListPodSandboxStatsRequest ListPodSandboxStatsResponse
rpc RuntimeService StreamPodSandboxStats StreamPodSandboxStatsRequest stream StreamPodSandboxStatsResponse
rpc RuntimeService UpdateRuntimeConfig UpdateRuntimeConfigRequest UpdateRuntimeConfigResponse
rpc RuntimeService Status StatusRequest StatusResponse
rpc RuntimeService CheckpointContainer CheckpointContainerRequest CheckpointContainerResponse
rpc RuntimeService CheckpointPod CheckpointPodRequest CheckpointPodResponse
rpc RuntimeService RestorePod RestorePodRequest RestorePodResponse
rpc RuntimeService GetContainerEvents GetEventsRequest stream ContainerEventResponse
rpc RuntimeService ListMetricDescriptors ListMetricDescriptorsRequest ListMetricDescriptorsResponse
rpc RuntimeService ListPodSandboxMetrics ListPodSandboxMetricsRequest ListPodSandboxMetricsResponse
rpc RuntimeService StreamPodSandboxMetrics StreamPodSandboxMetricsRequest stream StreamPodSandboxMetricsResponse
rpc RuntimeService RuntimeConfig RuntimeConfigRequest RuntimeConfigResponse
rpc RuntimeService UpdatePodSandboxResources UpdatePodSandboxResourcesRequest UpdatePodSandboxResourcesResponse
rpc ImageService ListImages ListImagesRequest ListImagesResponse
rpc ImageService StreamImages StreamImagesRequest stream StreamImagesResponse
rpc ImageService ImageStatus ImageStatusRequest ImageStatusResponse
rpc ImageService PullImage PullImageRequest PullImageResponse
rpc ImageService RemoveImage RemoveImageRequest RemoveImageResponse
rpc ImageService ImageFsInfo ImageFsInfoRequest ImageFsInfoResponse
enum Protocol TCP=0 UDP=1 SCTP=2
enum MountPropagation PROPAGATION_PRIVATE=0 PROPAGATION_HOST_TO_CONTAINER=1 PROPAGATION_BIDIRECTIONAL=2
enum NamespaceMode POD=0 CONTAINER=1 NODE=2 TARGET=3
enum SupplementalGroupsPolicy Merge=0 Strict=1
enum SecurityProfileType RuntimeDefault=0 Unconfined=1 Localhost=2
enum PodSandboxState SANDBOX_READY=0 SANDBOX_NOTREADY=1
enum Signal SIGNAL_RUNTIME_DEFAULT=0 SIGNAL_SIGABRT=1 SIGNAL_SIGALRM=2 SIGNAL_SIGBUS=3 SIGNAL_SIGCHLD=4 SIGNAL_SIGCLD=5 SIGNAL_SIGCONT=6 SIGNAL_SIGFPE=7 SIGNAL_SIGHUP=8 SIGNAL_SIGILL=9 SIGNAL_SIGINT=10 SIGNAL_SIGIO=11 SIGNAL_SIGIOT=12 SIGNAL_SIGKILL=13 SIGNAL_SIGPIPE=14 SIGNAL_SIGPOLL=15 SIGNAL_SIGPROF=16 SIGNAL_SIGPWR=17 SIGNAL_SIGQUIT=18 SIGNAL_SIGSEGV=19 SIGNAL_SIGSTKFLT=20 SIGNAL_SIGSTOP=21 SIGNAL_SIGSYS=22 SIGNAL_SIGTERM=23 SIGNAL_SIGTRAP=24 SIGNAL_SIGTSTP=25 SIGNAL_SIGTTIN=26 SIGNAL_SIGTTOU=27 SIGNAL_SIGURG=28 SIGNAL_SIGUSR1=29 SIGNAL_SIGUSR2=30 SIGNAL_SIGVTALRM=31 SIGNAL_SIGWINCH=32 SIGNAL_SIGXCPU=33 SIGNAL_SIGXFSZ=34 SIGNAL_SIGRTMIN=35 SIGNAL_SIGRTMINPLUS1=36 SIGNAL_SIGRTMINPLUS2=37 SIGNAL_SIGRTMINPLUS3=38 SIGNAL_SIGRTMINPLUS4=39 SIGNAL_SIGRTMINPLUS5=40 SIGNAL_SIGRTMINPLUS6=41 SIGNAL_SIGRTMINPLUS7=42 SIGNAL_SIGRTMINPLUS8=43 SIGNAL_SIGRTMINPLUS9=44 SIGNAL_SIGRTMINPLUS10=45 SIGNAL_SIGRTMINPLUS11=46 SIGNAL_SIGRTMINPLUS12=47 SIGNAL_SIGRTMINPLUS13=48 SIGNAL_SIGRTMINPLUS14=49 SIGNAL_SIGRTMINPLUS15=50 SIGNAL_SIGRTMAXMINUS14=51 SIGNAL_SIGRTMAXMINUS13=52 SIGNAL_SIGRTMAXMINUS12=53 SIGNAL_SIGRTMAXMINUS11=54 SIGNAL_SIGRTMAXMINUS10=55 SIGNAL_SIGRTMAXMINUS9=56 SIGNAL_SIGRTMAXMINUS8=57 SIGNAL_SIGRTMAXMINUS7=58 SIGNAL_SIGRTMAXMINUS6=59 SIGNAL_SIGRTMAXMINUS5=60 SIGNAL_SIGRTMAXMINUS4=61 SIGNAL_SIGRTMAXMINUS3=62 SIGNAL_SIGRTMAXMINUS2=63 SIGNAL_SIGRTMAXMINUS1=64 SIGNAL_SIGRTMAX=65
enum ContainerState CONTAINER_CREATED=0 CONTAINER_RUNNING=1 CONTAINER_EXITED=2 CONTAINER_UNKNOWN=3
enum ContainerEventType CONTAINER_CREATED_EVENT=0 CONTAINER_STARTED_EVENT=1 CONTAINER_STOPPED_EVENT=2 CONTAINER_DELETED_EVENT=3
enum MetricType COUNTER=0 GAUGE=1
enum CgroupDriver SYSTEMD=0 CGROUPFS=1
message VersionRequest 1:version:string
message VersionResponse 1:version:string 2:runtimeName:string 3:runtimeVersion:string 4:runtimeApiVersion:string
message DNSConfig 1:servers:*string 2:searches:*string 3:options:*string
message PortMapping 1:protocol:Protocol 2:containerPort:int32 3:hostPort:int32 4:hostIp:string
message Mount 1:containerPath:string 2:hostPath:string 3:readonly:bool 4:selinuxRelabel:bool 5:propagation:MountPropagation 6:uidMappings:*IDMapping 7:gidMappings:*IDMapping 8:recursiveReadOnly:bool 9:image:ImageSpec 10:imageSubPath:string 11:mountOptions:*string
message IDMapping 1:hostId:uint32 2:containerId:uint32 3:length:uint32
message UserNamespace 1:mode:NamespaceMode 2:uids:*IDMapping 3:gids:*IDMapping
message NamespaceOption 1:network:NamespaceMode 2:pid:NamespaceMode 3:ipc:NamespaceMode 4:targetId:string 5:usernsOptions:UserNamespace
message Int64Value 1:value:int64
message LinuxSandboxSecurityContext 1:namespaceOptions:NamespaceOption 2:selinuxOptions:SELinuxOption 3:runAsUser:Int64Value 8:runAsGroup:Int64Value 4:readonlyRootfs:bool 5:supplementalGroups:*int64 11:supplementalGroupsPolicy:SupplementalGroupsPolicy 6:privileged:bool 9:seccomp:SecurityProfile 10:apparmor:SecurityProfile 7:seccompProfilePath:string
message SecurityProfile 1:profileType:SecurityProfileType 2:localhostRef:string
message LinuxPodSandboxConfig 1:cgroupParent:string 2:securityContext:LinuxSandboxSecurityContext 3:sysctls:map 4:overhead:LinuxContainerResources 5:resources:LinuxContainerResources
message PodSandboxMetadata 1:name:string 2:uid:string 3:namespace:string 4:attempt:uint32
message PodSandboxConfig 1:metadata:PodSandboxMetadata 2:hostname:string 3:logDirectory:string 4:dnsConfig:DNSConfig 5:portMappings:*PortMapping 6:labels:map 7:annotations:map 8:linux:LinuxPodSandboxConfig
message RunPodSandboxRequest 1:config:PodSandboxConfig 2:runtimeHandler:string
message RunPodSandboxResponse 1:podSandboxId:string
message StopPodSandboxRequest 1:podSandboxId:string
message StopPodSandboxResponse
message RemovePodSandboxRequest 1:podSandboxId:string
message RemovePodSandboxResponse
message PodSandboxStatusRequest 1:podSandboxId:string 2:verbose:bool
message PodIP 1:ip:string
message PodSandboxNetworkStatus 1:ip:string 2:additionalIps:*PodIP
message Namespace 2:options:NamespaceOption
message LinuxPodSandboxStatus 1:namespaces:Namespace
message PodSandboxStatus 1:id:string 2:metadata:PodSandboxMetadata 3:state:PodSandboxState 4:createdAt:int64 5:network:PodSandboxNetworkStatus 6:linux:LinuxPodSandboxStatus 7:labels:map 8:annotations:map 9:runtimeHandler:string
message PodSandboxStatusResponse 1:status:PodSandboxStatus 2:info:map 3:containersStatuses:*ContainerStatus 4:timestamp:int64
message PodSandboxStateValue 1:state:PodSandboxState
message PodSandboxFilter 1:id:string 2:state:PodSandboxStateValue 3:labelSelector:map
message ListPodSandboxRequest 1:filter:PodSandboxFilter
message PodSandbox 1:id:string 2:metadata:PodSandboxMetadata 3:state:PodSandboxState 4:createdAt:int64 5:labels:map 6:annotations:map 7:runtimeHandler:string
message ListPodSandboxResponse 1:items:*PodSandbox
message StreamPodSandboxesRequest 1:filter:PodSandboxFilter
message StreamPodSandboxesResponse 1:podSandboxes:*PodSandbox
message PodSandboxStatsRequest 1:podSandboxId:string
message PodSandboxStatsResponse 1:stats:PodSandboxStats
message PodSandboxStatsFilter 1:id:string 2:labelSelector:map
message ListPodSandboxStatsRequest 1:filter:PodSandboxStatsFilter
message ListPodSandboxStatsResponse 1:stats:*PodSandboxStats
message StreamPodSandboxStatsRequest 1:filter:PodSandboxStatsFilter
message StreamPodSandboxStatsResponse 1:podSandboxStats:*PodSandboxStats
message PodSandboxAttributes 1:id:string 2:metadata:PodSandboxMetadata 3:labels:map 4:annotations:map
message PodSandboxStats 1:attributes:PodSandboxAttributes 2:linux:LinuxPodSandboxStats
message LinuxPodSandboxStats 1:cpu:CpuUsage 2:memory:MemoryUsage 3:network:NetworkUsage 4:process:ProcessUsage 5:containers:*ContainerStats 6:io:IoUsage
message NetworkUsage 1:timestamp:int64 2:defaultInterface:NetworkInterfaceUsage 3:interfaces:*NetworkInterfaceUsage
message NetworkInterfaceUsage 1:name:string 2:rxBytes:UInt64Value 3:rxErrors:UInt64Value 4:txBytes:UInt64Value 5:txErrors:UInt64Value
message ProcessUsage 1:timestamp:int64 2:processCount:UInt64Value
message ImageSpec 1:image:string 2:annotations:map 18:userSpecifiedImage:string 19:runtimeHandler:string 20:imageRef:string
message KeyValue 1:key:string 2:value:bytes
message LinuxContainerResources 1:cpuPeriod:int64 2:cpuQuota:int64 3:cpuShares:int64 4:memoryLimitInBytes:int64 5:oomScoreAdj:int64 6:cpusetCpus:string 7:cpusetMems:string 8:hugepageLimits:*HugepageLimit 9:unified:map 10:memorySwapLimitInBytes:int64
message HugepageLimit 1:pageSize:string 2:limit:uint64
message SELinuxOption 1:user:string 2:role:string 3:type:string 4:level:string
message Capability 1:addCapabilities:*string 2:dropCapabilities:*string 3:addAmbientCapabilities:*string
message LinuxContainerSecurityContext 1:capabilities:Capability 2:privileged:bool 3:namespaceOptions:NamespaceOption 4:selinuxOptions:SELinuxOption 5:runAsUser:Int64Value 12:runAsGroup:Int64Value 6:runAsUsername:string 7:readonlyRootfs:bool 8:supplementalGroups:*int64 17:supplementalGroupsPolicy:SupplementalGroupsPolicy 11:noNewPrivs:bool 13:maskedPaths:*string 14:readonlyPaths:*string 15:seccomp:SecurityProfile 16:apparmor:SecurityProfile 9:apparmorProfile:string 10:seccompProfilePath:string
message LinuxContainerConfig 1:resources:LinuxContainerResources 2:securityContext:LinuxContainerSecurityContext
message LinuxContainerUser 1:uid:int64 2:gid:int64 3:supplementalGroups:*int64
message ContainerMetadata 1:name:string 2:attempt:uint32
message Device 1:containerPath:string 2:hostPath:string 3:permissions:string
message CDIDevice 1:name:string
message ContainerConfig 1:metadata:ContainerMetadata 2:image:ImageSpec 3:command:*string 4:args:*string 5:workingDir:string 6:envs:*KeyValue 7:mounts:*Mount 8:devices:*Device 9:labels:map 10:annotations:map 11:logPath:string 12:stdin:bool 13:stdinOnce:bool 14:tty:bool 15:linux:LinuxContainerConfig 17:CDIDevices:*CDIDevice 18:stopSignal:Signal
message CreateContainerRequest 1:podSandboxId:string 2:config:ContainerConfig 3:sandboxConfig:PodSandboxConfig
message CreateContainerResponse 1:containerId:string
message StartContainerRequest 1:containerId:string
message StartContainerResponse
message StopContainerRequest 1:containerId:string 2:timeout:int64
message StopContainerResponse
message RemoveContainerRequest 1:containerId:string
message RemoveContainerResponse
message ContainerStateValue 1:state:ContainerState
message ContainerFilter 1:id:string 2:state:ContainerStateValue 3:podSandboxId:string 4:labelSelector:map
message ListContainersRequest 1:filter:ContainerFilter
message Container 1:id:string 2:podSandboxId:string 3:metadata:ContainerMetadata 4:image:ImageSpec 5:imageRef:string 6:state:ContainerState 7:createdAt:int64 8:labels:map 9:annotations:map 10:imageId:string
message ListContainersResponse 1:containers:*Container
message StreamContainersRequest 1:filter:ContainerFilter
message StreamContainersResponse 1:containers:*Container
message ContainerStatusRequest 1:containerId:string 2:verbose:bool
message ContainerStatus 1:id:string 2:metadata:ContainerMetadata 3:state:ContainerState 4:createdAt:int64 5:startedAt:int64 6:finishedAt:int64 7:exitCode:int32 8:image:ImageSpec 9:imageRef:string 10:reason:string 11:message:string 12:labels:map 13:annotations:map 14:mounts:*Mount 15:logPath:string 16:resources:ContainerResources 17:imageId:string 18:user:ContainerUser 19:stopSignal:Signal
message ContainerStatusResponse 1:status:ContainerStatus 2:info:map
message ContainerResources 1:linux:LinuxContainerResources
message ContainerUser 1:linux:LinuxContainerUser
message UpdateContainerResourcesRequest 1:containerId:string 2:linux:LinuxContainerResources 4:annotations:map
message UpdateContainerResourcesResponse
message ExecSyncRequest 1:containerId:string 2:cmd:*string 3:timeout:int64
message ExecSyncResponse 1:stdout:bytes 2:stderr:bytes 3:exitCode:int32
message ExecRequest 1:containerId:string 2:cmd:*string 3:tty:bool 4:stdin:bool 5:stdout:bool 6:stderr:bool
message ExecResponse 1:url:string
message AttachRequest 1:containerId:string 2:stdin:bool 3:tty:bool 4:stdout:bool 5:stderr:bool
message AttachResponse 1:url:string
message PortForwardRequest 1:podSandboxId:string 2:port:*int32
message PortForwardResponse 1:url:string
message ImageFilter 1:image:ImageSpec
message ListImagesRequest 1:filter:ImageFilter
message Image 1:id:string 2:repoTags:*string 3:repoDigests:*string 4:size:uint64 5:uid:Int64Value 6:username:string 7:spec:ImageSpec 8:pinned:bool
message ListImagesResponse 1:images:*Image
message StreamImagesRequest 1:filter:ImageFilter
message StreamImagesResponse 1:images:*Image
message ImageStatusRequest 1:image:ImageSpec 2:verbose:bool
message ImageStatusResponse 1:image:Image 2:info:map
message AuthConfig 1:username:string 2:password:string 3:auth:string 4:serverAddress:string 5:identityToken:string 6:registryToken:string
message PullImageRequest 1:image:ImageSpec 2:auth:AuthConfig 3:sandboxConfig:PodSandboxConfig
message PullImageResponse 1:imageRef:string
message RemoveImageRequest 1:image:ImageSpec
message RemoveImageResponse
message NetworkConfig 1:podCidr:string
message RuntimeConfig 1:networkConfig:NetworkConfig
message UpdateRuntimeConfigRequest 1:runtimeConfig:RuntimeConfig
message UpdateRuntimeConfigResponse
message RuntimeCondition 1:type:string 2:status:bool 3:reason:string 4:message:string
message RuntimeStatus 1:conditions:*RuntimeCondition
message StatusRequest 1:verbose:bool
message RuntimeHandlerFeatures 1:recursiveReadOnlyMounts:bool 2:userNamespaces:bool
message RuntimeHandler 1:name:string 2:features:RuntimeHandlerFeatures
message RuntimeFeatures 1:supplementalGroupsPolicy:bool 2:userNamespacesHostNetwork:bool 3:mountOptions:bool
message StatusResponse 1:status:RuntimeStatus 2:info:map 3:runtimeHandlers:*RuntimeHandler 4:features:RuntimeFeatures
message ImageFsInfoRequest
message UInt64Value 1:value:uint64
message FilesystemIdentifier 1:mountpoint:string
message FilesystemUsage 1:timestamp:int64 2:fsId:FilesystemIdentifier 3:usedBytes:UInt64Value 4:inodesUsed:UInt64Value
message ImageFsInfoResponse 1:imageFilesystems:*FilesystemUsage 2:containerFilesystems:*FilesystemUsage
message ContainerStatsRequest 1:containerId:string
message ContainerStatsResponse 1:stats:ContainerStats
message ListContainerStatsRequest 1:filter:ContainerStatsFilter
message ContainerStatsFilter 1:id:string 2:podSandboxId:string 3:labelSelector:map
message ListContainerStatsResponse 1:stats:*ContainerStats
message StreamContainerStatsRequest 1:filter:ContainerStatsFilter
message StreamContainerStatsResponse 1:containerStats:*ContainerStats
message ContainerAttributes 1:id:string 2:metadata:ContainerMetadata 3:labels:map 4:annotations:map
message ContainerStats 1:attributes:ContainerAttributes 2:cpu:CpuUsage 3:memory:MemoryUsage 4:writableLayer:FilesystemUsage 5:swap:SwapUsage 6:io:IoUsage
message PsiStats 1:Full:PsiData 2:Some:PsiData
message PsiData 1:Total:uint64 2:Avg10:double 3:Avg60:double 4:Avg300:double
message CpuUsage 1:timestamp:int64 2:usageCoreNanoSeconds:UInt64Value 3:usageNanoCores:UInt64Value 4:psi:PsiStats
message MemoryUsage 1:timestamp:int64 2:workingSetBytes:UInt64Value 3:availableBytes:UInt64Value 4:usageBytes:UInt64Value 5:rssBytes:UInt64Value 6:pageFaults:UInt64Value 7:majorPageFaults:UInt64Value 8:psi:PsiStats
message IoUsage 1:timestamp:int64 2:psi:PsiStats
message SwapUsage 1:timestamp:int64 2:swapAvailableBytes:UInt64Value 3:swapUsageBytes:UInt64Value
message ReopenContainerLogRequest 1:containerId:string
message ReopenContainerLogResponse
message CheckpointContainerRequest 1:containerId:string 2:location:string 3:timeout:int64
message CheckpointContainerResponse
message CheckpointPodRequest 1:podSandboxId:string 2:outputPath:string 3:containerIds:*string 4:options:map
message CheckpointPodResponse
message RestorePodRequest 1:checkpointPath:string 2:config:PodSandboxConfig 3:runtimeHandler:string 4:options:map 5:containerConfigs:*ContainerConfig
message RestoredContainer 1:name:string 2:containerId:string
message RestorePodResponse 1:podSandboxId:string 2:restoredContainers:*RestoredContainer
message GetEventsRequest
message ContainerEventResponse 1:containerId:string 2:containerEventType:ContainerEventType 3:createdAt:int64 4:podSandboxStatus:PodSandboxStatus 5:containersStatuses:*ContainerStatus
message ListMetricDescriptorsRequest
message ListMetricDescriptorsResponse 1:descriptors:*MetricDescriptor
message MetricDescriptor 1:name:string 2:help:string 3:labelKeys:*string
message ListPodSandboxMetricsRequest
message ListPodSandboxMetricsResponse 1:podMetrics:*PodSandboxMetrics
message StreamPodSandboxMetricsRequest
message StreamPodSandboxMetricsResponse 1:podSandboxMetrics:*PodSandboxMetrics
message PodSandboxMetrics 1:podSandboxId:string 2:metrics:*Metric 3:containerMetrics:*ContainerMetrics
message ContainerMetrics 1:containerId:string 2:metrics:*Metric
message Metric 1:name:string 2:timestamp:int64 3:metricType:MetricType 4:labelValues:*string 5:value:UInt64Value
message RuntimeConfigRequest
message RuntimeConfigResponse 1:linux:LinuxRuntimeConfiguration
message LinuxRuntimeConfiguration 1:cgroupDriver:CgroupDriver
message UpdatePodSandboxResourcesRequest 1:podSandboxId:string 2:overhead:LinuxContainerResources 3:resources:LinuxContainerResources
message UpdatePodSandboxResourcesResponse
`;
