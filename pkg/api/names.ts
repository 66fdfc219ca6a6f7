/** The checks of names that everything uses; all are in validation/names.ts. */
export {
  isCIdentifier,
  isConfigMapKey,
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isEnvVarName,
  isLabelValue,
  isPathSegmentName,
  isQualifiedName,
  isValidPortName,
  isWildcardDNS1123Subdomain,
  type NameCheck,
} from './validation/names.ts';
