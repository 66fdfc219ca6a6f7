import { Transform } from 'node:stream';

/** Attributes that hold a URL, by element. */
const URL_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

/** Elements whose content is text, whatever it looks like. */
const RAW_TEXT: ReadonlySet<string> = new Set([
  'iframe',
  'noembed',
  'noframes',
  'noscript',
  'plaintext',
  'script',
  'style',
  'textarea',
  'title',
  'xmp',
]);

/** A tag that goes on for longer is no tag. */
const MAX_TAG_LENGTH = 64 * 1024;
const COMMENT_START = '<!--';

/** Rewrites the URLs in the start tags of an HTML document that passes through; everything else stays byte for byte. */
export function rewriteHTML(rewrite: (url: string) => string): Transform {
  const rewriter = new Rewriter(rewrite);
  // Latin-1 keeps every byte of any encoding that agrees with ASCII on markup.
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from(rewriter.push(chunk.toString('latin1')), 'latin1'));
    },
    flush(done) {
      done(null, Buffer.from(rewriter.end(), 'latin1'));
    },
  });
}

class Rewriter {
  readonly #rewrite: (url: string) => string;
  #pending = '';
  /** What ends the part that is passed on unseen: `-->`, or the end tag of a raw text element. */
  #until: string | undefined;

  constructor(rewrite: (url: string) => string) {
    this.#rewrite = (url) => {
      const text = Buffer.from(url, 'latin1').toString('utf8');
      return Buffer.from(rewrite(text), 'utf8').toString('latin1');
    };
  }

  push(chunk: string): string {
    const text = this.#pending + chunk;
    let out = '';
    let at = 0;
    for (;;) {
      if (this.#until !== undefined) {
        const end = indexOfIgnoringCase(text, this.#until, at);
        if (end < 0) return this.#keep(out, text, at, this.#until.length - 1);
        out += text.slice(at, end);
        at = end;
        this.#until = undefined;
      }
      const start = text.indexOf('<', at);
      if (start < 0) return this.#keep(out, text, at, 0);
      out += text.slice(at, start);
      at = start;
      if (text.length - at < COMMENT_START.length) return this.#keep(out, text, at, text.length - at);
      if (text.startsWith(COMMENT_START, at)) {
        out += COMMENT_START;
        at += COMMENT_START.length;
        this.#until = '-->';
        continue;
      }
      const end = endOfTag(text, at);
      if (end < 0) {
        if (text.length - at <= MAX_TAG_LENGTH) return this.#keep(out, text, at, text.length - at);
        return this.#keep(out, text, at, 0);
      }
      out += this.#tag(text.slice(at, end));
      at = end;
    }
  }

  end(): string {
    const rest = this.#pending;
    this.#pending = '';
    return rest;
  }

  /** Holds back the last `length` characters, which may be the beginning of something. */
  #keep(out: string, text: string, at: number, length: number): string {
    const from = Math.max(at, text.length - length);
    this.#pending = text.slice(from);
    return out + text.slice(at, from);
  }

  #tag(tag: string): string {
    const name = /^<([a-z][^\s/>]*)/i.exec(tag)?.[1]?.toLowerCase();
    if (name === undefined) return tag;
    if (RAW_TEXT.has(name) && !tag.endsWith('/>')) this.#until = `</${name}`;
    const attributes = URL_ATTRIBUTES[name];
    if (attributes === undefined) return tag;
    return tag.replace(ATTRIBUTE, (whole, before: string, key: string, equals: string, value: string) => {
      if (!attributes.includes(key.toLowerCase())) return whole;
      const quote = value.startsWith('"') || value.startsWith("'") ? value.charAt(0) : '';
      const url = unescapeAttribute(quote === '' ? value : value.slice(1, -1));
      const changed = this.#rewrite(url);
      return changed === url ? whole : `${before}${key}${equals}"${escapeAttribute(changed)}"`;
    });
  }
}

const ATTRIBUTE = /([\s/"'])([^\s"'<>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/g;

/** The index behind the `>` that ends the tag at `start`, -1 when it is not there yet. Quoted values may contain `>`. */
function endOfTag(text: string, start: number): number {
  if (!/[a-z]/i.test(text.charAt(start + 1))) {
    const end = text.indexOf('>', start);
    return end < 0 ? -1 : end + 1;
  }
  let quote = '';
  for (let i = start; i < text.length && i - start <= MAX_TAG_LENGTH; i++) {
    const char = text.charAt(i);
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if ((char === '"' || char === "'") && /=\s*$/.test(text.slice(Math.max(start, i - 8), i))) quote = char;
    else if (char === '>') return i + 1;
  }
  return -1;
}

function indexOfIgnoringCase(text: string, wanted: string, from: number): number {
  return text.toLowerCase().indexOf(wanted, from);
}

function unescapeAttribute(text: string): string {
  return text.replace(/&(amp|quot|lt|gt|#39|#34);/g, (_, name: string) => ENTITIES[name] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', quot: '"', lt: '<', gt: '>', '#39': "'", '#34': '"' };

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&#34;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
