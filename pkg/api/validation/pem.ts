import { Buffer } from 'node:buffer';

export interface PEMBlock {
  readonly type: string;
  /** Whether lines like `Proc-Type: 4,ENCRYPTED` stand before the data. */
  readonly hasHeaders: boolean;
  readonly der: Buffer;
}

const block = /-----BEGIN ([^\n]*?)-----[ \t]*\r?\n([\s\S]*?)-----END \1-----[ \t]*(?:\r?\n|$)/g;

/** The well-formed PEM blocks of a text, in order; what is between them does not count. */
export function pemBlocks(text: string): PEMBlock[] {
  const blocks: PEMBlock[] = [];
  for (const [, type = '', body = ''] of text.matchAll(block)) {
    const lines = body.split(/\r?\n/).map((line) => line.trim());
    const data = lines.filter((line) => !line.includes(':')).join('');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) continue;
    blocks.push({ type, hasHeaders: lines.some((line) => line.includes(':')), der: Buffer.from(data, 'base64') });
  }
  return blocks;
}
