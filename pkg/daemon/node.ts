import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Exec } from '../base/exec.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Client } from '../client/index.ts';
import { createEventRecorder, createInformers } from '../client/index.ts';
import type { ServerConfig } from '../config/index.ts';
import { ContainerdSupervisor, connectCRI, ImageArchives } from '../cri/index.ts';
import { createNetwork } from '../network/index.ts';
import type { PKI } from '../pki/index.ts';
import { createProxy } from '../proxy/index.ts';
import { type ControlPlane, users } from './control-plane.ts';
import { layoutOf } from './layout.ts';
import type { Payload } from './payload.ts';

export interface NodeDeps {
  readonly controlPlane: ControlPlane;
  readonly pki: PKI;
  readonly payload: Payload;
  readonly nodeIPs: readonly string[];
  readonly clock: Clock;
  readonly exec: Exec;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What makes this machine a node: containerd, pod network, service proxy, DNS, kubelet. In the order of their start. */
export function createNode(_config: ServerConfig, _deps: NodeDeps): Component[] {
  return [];
}
