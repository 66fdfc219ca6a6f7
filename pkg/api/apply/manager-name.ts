/** Longest name of a field manager, in bytes. */
const maxNameBytes = 128;

/** Who a write is attributed to: the fieldManager option, else the user agent up to its first slash. */
export function managerName(fieldManager: string | undefined, userAgent: string): string {
  if (fieldManager !== undefined && fieldManager !== '') return fieldManager;
  const [product = ''] = userAgent.split('/', 1);
  let name = '';
  let sizeBytes = 0;
  for (const char of product) {
    if (!/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char)) continue;
    sizeBytes += Buffer.byteLength(char);
    if (sizeBytes > maxNameBytes) break;
    name += char;
  }
  return name;
}
