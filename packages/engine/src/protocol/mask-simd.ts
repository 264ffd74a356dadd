/** The part of WebAssembly's API that is used here; Node's types leave it to those of browsers. */
declare const WebAssembly:
  | {
      Module: new (bytes: Uint8Array) => object;
      Instance: new (module: object) => { readonly exports: unknown };
    }
  | undefined;

/** `mask.wat` as a module of WebAssembly. */
const MODULE =
  'AGFzbQEAAAABBgFgAn9/AAMCAQAFAwEAAQcRAgZtZW1vcnkCAARtYXNrAAAKXgFcAgF/AXsgAf0RIQMDQCACIAL9AAQAIAP9Uf0LBAAgAiAC' +
  '/QAEECAD/VH9CwQQIAIgAv0ABCAgA/1R/QsEICACIAL9AAQwIAP9Uf0LBDAgAkHAAGoiAiAASQ0ACws=';

/** Masks by vector instructions, which see nothing but a memory of their own: payload goes through it in pieces. */
export interface SimdMask {
  /** 64 KiB; what is left in it has no meaning. */
  readonly memory: Uint8Array;
  /** Masks the memory up to `end`, at least one byte, and may change what is behind; the key's first byte is the lowest. */
  mask(end: number, key: number): void;
}

/** `undefined` where this process has no WebAssembly or no vector instructions in it. */
export function createSimdMask(): SimdMask | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  try {
    const module = new WebAssembly.Module(Buffer.from(MODULE, 'base64'));
    const { memory, mask } = new WebAssembly.Instance(module).exports as {
      memory: { buffer: ArrayBuffer };
      mask: SimdMask['mask'];
    };
    return { memory: new Uint8Array(memory.buffer), mask };
  } catch {
    // Processors without such instructions refuse the module; there is nothing to tell of, only the loop to go on with.
    return undefined;
  }
}
