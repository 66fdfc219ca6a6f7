import type { SigCoverage } from './coverage.ts';

export const sigNetwork: SigCoverage = {
  sig: 'sig-network',
  cases: {
    'DNS should provide /etc/hosts entries for the cluster': [
      'test/e2e/network.test.ts > names: Services, pods with host names, ports, addresses',
    ],
    'DNS should provide DNS for pods for Hostname': [
      'test/e2e/network.test.ts > names: Services, pods with host names, ports, addresses',
    ],
    'DNS should provide DNS for pods for Subdomain': [
      'test/e2e/network.test.ts > names: Services, pods with host names, ports, addresses',
    ],
    'DNS should provide DNS for services': [
      'test/e2e/network.test.ts > names: Services, pods with host names, ports, addresses',
    ],
    'DNS should provide DNS for the cluster': [
      'test/e2e/network.test.ts > names: Services, pods with host names, ports, addresses',
    ],
    'DNS should provide DNS for ExternalName services': [
      'test/e2e/network.test.ts > a Service changes its type while it is used',
    ],
    'DNS should resolve DNS of partial qualified names for services': [
      'test/e2e/network.test.ts > names: Services, pods with host names, ports, addresses',
    ],
    'DNS should support configurable pod DNS nameservers': [
      'test/e2e/pod-life.test.ts > names, addresses, groups and privileges are those of the spec',
    ],
    'EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service': [
      'test/e2e/service-api.test.ts > Endpoints and EndpointSlices follow the Pods of a Service, and go with it',
      'test/e2e/service-api.test.ts > %s %s: discovery, and every verb',
    ],
    'EndpointSlice should create and delete Endpoints and EndpointSlices for a Service with a selector specified': [
      'test/e2e/service-api.test.ts > Endpoints and EndpointSlices follow the Pods of a Service, and go with it',
      'test/e2e/service-api.test.ts > %s %s: discovery, and every verb',
    ],
    'EndpointSlice should have Endpoints and EndpointSlices pointing to API Server': [
      'test/e2e/service-api.test.ts > the kubernetes Service is found in all namespaces, secure, and leads to the API server',
    ],
    'EndpointSlice should support creating EndpointSlice API operations': [
      'test/e2e/service-api.test.ts > %s %s: discovery, and every verb',
    ],
    'EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete': [
      'test/e2e/network.test.ts > Endpoints made by hand are mirrored, and traffic follows them',
    ],
    'HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol': [
      'test/e2e/network.test.ts > host ports: by address and protocol, each to its own pod',
    ],
    'Ingress API should support creating Ingress API operations': [
      'test/e2e/service-api.test.ts > %s %s: discovery, and every verb',
    ],
    'IngressClass API should support creating IngressClass API operations': [
      'test/e2e/service-api.test.ts > %s %s: discovery, and every verb',
    ],
    'Networking Granular Checks: Pods should function for intra-pod communication: http': [
      'test/e2e/network.test.ts > pods, pods of the host network and the node reach pods by HTTP and UDP',
    ],
    'Networking Granular Checks: Pods should function for intra-pod communication: udp': [
      'test/e2e/network.test.ts > pods, pods of the host network and the node reach pods by HTTP and UDP',
    ],
    'Networking Granular Checks: Pods should function for node-pod communication: http': [
      'test/e2e/network.test.ts > pods, pods of the host network and the node reach pods by HTTP and UDP',
    ],
    'Networking Granular Checks: Pods should function for node-pod communication: udp': [
      'test/e2e/network.test.ts > pods, pods of the host network and the node reach pods by HTTP and UDP',
    ],
    'Proxy version v1 A set of valid responses are returned for both pod and service Proxy': [
      'test/e2e/aggregation.test.ts > %s takes every method',
      'test/e2e/aggregation.test.ts > %s without a path is below a slash',
    ],
    'Proxy version v1 A set of valid responses are returned for both pod and service ProxyWithPath': [
      'test/e2e/aggregation.test.ts > %s takes every method',
    ],
    'Proxy version v1 should proxy through a service and a pod': [
      'test/e2e/aggregation.test.ts > %s takes every method',
      'test/e2e/aggregation.test.ts > rewrites links and redirects, streams, upgrades',
      'test/e2e/aggregation.test.ts > reaches the kubelet',
    ],
    'Service endpoints latency should not be very high': [
      'test/e2e/service-api.test.ts > a hundred new Services have their endpoints within the time of one',
    ],
    'Services should be able to change the type from ClusterIP to ExternalName': [
      'test/e2e/network.test.ts > a Service changes its type while it is used',
    ],
    'Services should be able to change the type from ExternalName to ClusterIP': [
      'test/e2e/network.test.ts > a Service changes its type while it is used',
    ],
    'Services should be able to change the type from ExternalName to NodePort': [
      'test/e2e/network.test.ts > a Service changes its type while it is used',
    ],
    'Services should be able to change the type from NodePort to ExternalName': [
      'test/e2e/network.test.ts > a Service changes its type while it is used',
    ],
    'Services should be able to create a functioning NodePort service': [
      'test/e2e/network.test.ts > a node port Service answers by name, cluster IP and on the node, TCP and UDP',
    ],
    'Services should be able to switch session affinity for NodePort service': [
      'test/e2e/network.test.ts > session affinity of type %s is switched on and off',
    ],
    'Services should be able to switch session affinity for service with type clusterIP': [
      'test/e2e/network.test.ts > session affinity of type %s is switched on and off',
    ],
    'Services should have session affinity work for NodePort service': [
      'test/e2e/network.test.ts > session affinity of type %s is switched on and off',
    ],
    'Services should have session affinity work for service with type clusterIP': [
      'test/e2e/network.test.ts > session affinity of type %s is switched on and off',
    ],
    'Services should complete a service status lifecycle': [
      'test/e2e/service-api.test.ts > the life of the status of a Service that another load balancer serves',
    ],
    'Services should delete a collection of services': [
      'test/e2e/service-api.test.ts > Services are deleted by their labels',
    ],
    'Services should find a service from listing all namespaces': [
      'test/e2e/service-api.test.ts > the kubernetes Service is found in all namespaces, secure, and leads to the API server',
    ],
    'Services should provide secure master service': [
      'test/e2e/service-api.test.ts > the kubernetes Service is found in all namespaces, secure, and leads to the API server',
    ],
    'Services should serve a basic endpoint from pods': [
      'test/e2e/network.test.ts > endpoints with several ports: each Pod where it listens, as Pods come and go',
      'test/e2e/service-api.test.ts > Endpoints and EndpointSlices follow the Pods of a Service, and go with it',
    ],
    'Services should serve multiport endpoints from pods': [
      'test/e2e/network.test.ts > endpoints with several ports: each Pod where it listens, as Pods come and go',
    ],
    'Services should test the lifecycle of an Endpoint': [
      'test/e2e/service-api.test.ts > the life of an Endpoints object',
    ],
  },
};
