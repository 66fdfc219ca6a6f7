import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Device, DeviceTaint, ResourceSlice } from '../generated/types.ts';
import type { KubeObject } from '../object.ts';
import { formatTime } from '../time.ts';
import { asV1 } from './resourceclaim.ts';
import { validateSlice } from './resourceslice-validation.ts';
import { childObject } from './shape.ts';

type Slice = DeepReadonly<ResourceSlice>;

/** What a driver offers. Taints say since when they are there. */
export const resourceSliceStrategy: Strategy = {
  default(object) {
    childObject(object, 'spec');
  },
  prepareForCreate: (object, { nowMs }) => stampTaints(object, nowMs),
  prepareForUpdate: (object, _old, { nowMs }) => stampTaints(object, nowMs),
  validate: (object) => validateSlice((asV1(object) as unknown as Slice).spec, undefined),
  validateUpdate: (object, old) =>
    validateSlice((asV1(object) as unknown as Slice).spec, (asV1(old) as unknown as Slice).spec),
  specChanged: (object, old) => !equalJSON(object.spec, old.spec),
  selectableFields(object) {
    const { nodeName, driver } = (object as unknown as Slice).spec ?? {};
    return { 'spec.nodeName': nodeName ?? '', 'spec.driver': driver ?? '' };
  },
};

function stampTaints(object: KubeObject, nowMs: number): void {
  const slice = object as unknown as ResourceSlice;
  for (const device of slice.spec?.devices ?? []) {
    for (const taint of taintsOf(device)) taint.timeAdded ??= formatTime(nowMs);
  }
}

/** v1beta1 has everything but the name in `basic`. */
function taintsOf(device: Device & { basic?: { taints?: DeviceTaint[] } }): DeviceTaint[] {
  return device.taints ?? device.basic?.taints ?? [];
}
