/**
 * The media type of a Content-Type header, in lower case and without parameters; undefined for a header that Go's
 * mime.ParseMediaType does not read. A semicolon may stand at the end.
 */
export function mediaType(header: string): string | undefined {
  const semicolon = header.indexOf(';');
  if (semicolon < 0) return header.trim().toLowerCase();
  const type = header.slice(0, semicolon).trim().toLowerCase();
  const given = new Map<string, string>();
  let rest = header.slice(semicolon);
  while (rest.trim() !== '' && rest.trim() !== ';') {
    const parameter = PARAMETER.exec(rest);
    if (parameter === null) return undefined;
    const [all, name = '', value = ''] = parameter;
    const key = name.toLowerCase();
    if ((given.get(key) ?? value) !== value) return undefined;
    given.set(key, value);
    rest = rest.slice(all.length);
  }
  return type;
}

const TOKEN = "[-!#$%&'*+.^_`{|}~0-9A-Za-z]+";
const PARAMETER = new RegExp(`^\\s*;\\s*(${TOKEN})\\s*=\\s*(${TOKEN}|"(?:[^"\\\\\\r\\n]|\\\\[^\\r\\n])*")`);
