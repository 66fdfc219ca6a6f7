import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { Service } from '../generated/types.ts';
import { isDNS1123Label } from '../validation/names.ts';
import { defaultService } from './service-defaults.ts';
import { prepareServiceForCreate, prepareServiceForUpdate } from './service-update.ts';
import { validateServiceStatus, validateServiceUpdate } from './service-update-validation.ts';
import { validateService } from './service-validation.ts';
import { serviceStatusWarnings, serviceWarnings } from './service-warnings.ts';

type Object = DeepReadonly<Service>;

/** Services. IP families, cluster IPs, node ports and health check ports come from the API server's registry. */
export const serviceStrategy: Strategy = {
  default: (object) => defaultService(object as unknown as Service),
  prepareForCreate: (object) => prepareServiceForCreate(object as unknown as Service),
  prepareForUpdate(object, old, { subresource }) {
    if (subresource === '') prepareServiceForUpdate(object as unknown as Service, old as unknown as Object);
  },
  validateName: isDNS1123Label,
  validate: (object) => validateService(object as unknown as Object),
  validateUpdate(object, old, { subresource }) {
    const service = object as unknown as Object;
    if (subresource === 'status') return validateServiceStatus(service);
    return validateServiceUpdate(service, old as unknown as Object);
  },
  warnings: (object) => serviceWarnings(object as unknown as Object),
  statusWarnings: (object) => serviceStatusWarnings(object as unknown as Object),
  allowCreateOnUpdate: true,
  selectableFields(object) {
    const { spec } = object as unknown as Object;
    return { 'spec.clusterIP': spec?.clusterIP ?? '', 'spec.type': spec?.type ?? '' };
  },
};
