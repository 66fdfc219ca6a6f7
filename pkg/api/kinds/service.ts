import type { Strategy } from '../definition.ts';
import type { Service } from '../generated/types.ts';
import { defaultService } from './service-defaults.ts';
import { prepareServiceForCreate, prepareServiceForUpdate } from './service-update.ts';

/** Services. Cluster IPs, node ports and health check ports are allocated by the API server's registry. */
export const serviceStrategy: Strategy = {
  default: (object) => defaultService(object as unknown as Service),
  prepareForCreate: (object) => prepareServiceForCreate(object as unknown as Service),
  prepareForUpdate(object, old, context) {
    if (context.subresource === '') prepareServiceForUpdate(object as unknown as Service, old as never);
  },
  allowUnconditionalUpdate: true,
};
