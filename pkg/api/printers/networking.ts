import type {
  Endpoint,
  EndpointSlice,
  Ingress,
  IngressClass,
  IPAddress,
  NetworkPolicy,
  ServiceCIDR,
} from '../generated/types.ts';
import { firstFew, formatSelector } from './format.ts';
import { age, ageColumn, definePrinter, nameColumn, type PrinterTable, text } from './printer.ts';
import { loadBalancerAddresses } from './service.ts';

export const ingressPrinter = definePrinter<Ingress>(
  [
    nameColumn,
    text('Class', 'The ingress class that serves it.'),
    text('Hosts', 'The host names that it routes.'),
    text('Address', 'The addresses at which it is served.'),
    text('Ports', 'The ports at which it is served.'),
    ageColumn,
  ],
  (ingress, nowMs) => {
    const hosts = (ingress.spec?.rules ?? []).map((rule) => rule.host ?? '').filter((host) => host !== '');
    return [
      ingress.metadata.name,
      ingress.spec?.ingressClassName ?? '<none>',
      hosts.length === 0 ? '*' : firstFew(hosts, 3),
      loadBalancerAddresses(ingress.status?.loadBalancer?.ingress),
      (ingress.spec?.tls?.length ?? 0) > 0 ? '80, 443' : '80',
      age(ingress, nowMs),
    ];
  },
);

const ingressClassPrinter = definePrinter<IngressClass>(
  [
    nameColumn,
    text('Controller', 'The controller that serves the ingresses of the class.'),
    text('Parameters', 'The object with settings for the controller.'),
    ageColumn,
  ],
  (ingressClass, nowMs) => {
    const parameters = ingressClass.spec?.parameters;
    const group = parameters?.apiGroup ? `.${parameters.apiGroup}` : '';
    return [
      ingressClass.metadata.name,
      ingressClass.spec?.controller ?? '',
      parameters === undefined ? '<none>' : `${parameters.kind ?? ''}${group}/${parameters.name ?? ''}`,
      age(ingressClass, nowMs),
    ];
  },
);

const networkPolicyPrinter = definePrinter<NetworkPolicy>(
  [nameColumn, text('Pod-Selector', 'The labels of the pods that it is for.'), ageColumn],
  (policy, nowMs) => [policy.metadata.name, formatSelector(policy.spec?.podSelector), age(policy, nowMs)],
);

const ipAddressPrinter = definePrinter<IPAddress>(
  [nameColumn, text('ParentRef', 'The object that the address is allocated to.')],
  (address) => {
    const { group, resource, namespace, name } = address.spec?.parentRef ?? {};
    const parts = [group ? `${resource}.${group}` : resource, namespace, name].filter(Boolean);
    return [address.metadata.name, parts.length === 0 ? '<none>' : parts.join('/')];
  },
);

const serviceCIDRPrinter = definePrinter<ServiceCIDR>(
  [nameColumn, text('CIDRs', 'The ranges from which services get their addresses.'), ageColumn],
  (range, nowMs) => [range.metadata.name, (range.spec?.cidrs ?? []).join(','), age(range, nowMs)],
);

const endpointSlicePrinter = definePrinter<EndpointSlice>(
  [
    nameColumn,
    text('AddressType', 'The kind of the addresses.'),
    text('Ports', 'The first ports.'),
    text('Endpoints', 'The first addresses.'),
    ageColumn,
  ],
  (slice, nowMs) => {
    const ports = (slice.ports ?? []).map(({ port, name }) => (port === undefined ? (name ?? '*') : String(port)));
    const addresses = (slice.endpoints ?? []).flatMap((endpoint) => (endpoint as Partial<Endpoint>).addresses ?? []);
    return [
      slice.metadata.name,
      slice.addressType ?? '',
      ports.length === 0 ? '<unset>' : firstFew(ports, 3),
      addresses.length === 0 ? '<unset>' : firstFew(addresses, 3),
      age(slice, nowMs),
    ];
  },
);

export const networkingPrinters: PrinterTable = {
  IPAddress: ipAddressPrinter,
  Ingress: ingressPrinter,
  IngressClass: ingressClassPrinter,
  NetworkPolicy: networkPolicyPrinter,
  ServiceCIDR: serviceCIDRPrinter,
};

export const discoveryPrinters: PrinterTable = { EndpointSlice: endpointSlicePrinter };
