/** The part of WebAssembly's API that is used here; Node's types leave it to those of browsers. */
declare const WebAssembly:
  | {
      Module: new (bytes: Uint8Array) => object;
      Instance: new (module: object) => { readonly exports: unknown };
    }
  | undefined;

/** `mask.wat` as a module of WebAssembly. */
const MODULE =
  'AGFzbQEAAAABBwFgAn9/AX8DAgEABQMBAAEHEQIGbWVtb3J5AgAEbWFzawAACuwBAekBAwJ/A3sCfyAB/REhBCAAQUBxIQMgAwRAA0AgAiAC/QAE' +
  'ACAE/VEiBf0LBAAgBiAF/VAhBiACIAL9AAQQIAT9USIF/QsEECAGIAX9UCEGIAIgAv0ABCAgBP1RIgX9CwQgIAYgBf1QIQYgAiAC/QAEMCAE/VEi' +
  'Bf0LBDAgBiAF/VAhBiACQcAAaiICIANJDQALCwJAA0AgAiAATw0BIAIgAv0ABAAgBP1RIgX9CwQAIAX9ZCEHIAAgAmtBEEkEQCAHQQEgACACa3RB' +
  'AWtxIQcLIAggB3IhCCACQRBqIQIMAAsLIAb9ZCAIcgs=';

/** Masks by vector instructions, which see nothing but a memory of their own: payload goes through it in pieces. */
export interface SimdMask {
  /** 64 KiB; what is left in it has no meaning. */
  readonly memory: Uint8Array;
  /**
   * Masks the memory up to `end`, and may change what is behind; the key's first byte is the lowest.
   *
   * @returns 0 where all that it has made is ASCII
   */
  mask(end: number, key: number): number;
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
