import { type CelType, opaqueType } from '../types.ts';
import { HostValue } from '../values.ts';

/** A value of one of Kubernetes' types around a payload. */
export class Host<T> extends HostValue {
  readonly type: CelType;
  readonly payload: T;
  override readonly costSize: number | undefined;
  /** Two values with the same key are equal. */
  readonly key: string;

  constructor(kind: HostKind, payload: T, key: string, costSize?: number) {
    super();
    this.type = HOST_TYPES[kind];
    this.payload = payload;
    this.key = key;
    this.costSize = costSize;
  }

  equals(other: HostValue): boolean {
    return other instanceof Host && other.key === this.key;
  }
}

/** Types by what signatures call them. */
export const HOST_TYPES = {
  quantity: opaqueType('kubernetes.Quantity'),
  url: opaqueType('kubernetes.URL'),
  semver: opaqueType('kubernetes.Semver'),
  ip: opaqueType('net.IP'),
  cidr: opaqueType('net.CIDR'),
} as const;

export type HostKind = keyof typeof HOST_TYPES;
