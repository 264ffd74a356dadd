import type { CompressionSettings, Deflater, Inflater } from './coder';
import { DictionaryDeflater, DictionaryInflater } from './dictionary';
import { HandleDeflater, HandleInflater, handlesWork } from './handle';
import { SHARED_COMPRESSORS } from './limits';
import { MAX_WINDOW_BITS } from './options';

/** How messages are compressed in the calling thread: on private handles, or by public functions alone. */
export type Method = 'handle' | 'dictionary';

let chosen: Method | undefined;

/** The method in use: handles, if this Node's have passed their trial when they were first needed. */
export function synchronousMethod(): Method {
  chosen ??= handlesWork() ? 'handle' : 'dictionary';
  return chosen;
}

/** Sets the method of coders made from now on, for tests; `undefined` chooses again. */
export function setSynchronousMethod(method: Method | undefined): void {
  chosen = method;
  for (const deflater of deflaters.values()) deflater.close();
  deflaters.clear();
  discardInflater();
}

/** Compressors that nobody owns, the one used last at the end. */
const deflaters = new Map<string, Deflater>();
let inflater: Inflater | undefined;

/** A compressor for one call: it is reset, and the next call may be for another connection. */
export function sharedDeflater(settings: CompressionSettings): Deflater {
  const shared = deflaters.get(settings.key);
  if (shared === undefined) return addDeflater(settings);
  shared.reset();
  return shared;
}

function addDeflater(settings: CompressionSettings): Deflater {
  if (deflaters.size >= SHARED_COMPRESSORS) {
    for (const [key, oldest] of deflaters) {
      deflaters.delete(key);
      oldest.close();
      break;
    }
  }
  const deflater =
    synchronousMethod() === 'handle'
      ? new HandleDeflater(settings)
      : new DictionaryDeflater(settings, false);
  deflaters.set(settings.key, deflater);
  return deflater;
}

/** Closes a shared compressor that has failed. */
export function discardDeflater({ key }: CompressionSettings): void {
  deflaters.get(key)?.close();
  deflaters.delete(key);
}

/** Number of shared compressors. */
export function sharedDeflaterCount(): number {
  return deflaters.size;
}

/**
 * The decompressor for one message, to be reset first: the next message may be another connection's. One is enough,
 * as the largest window reads what was compressed with a smaller one.
 */
export function sharedInflater(): Inflater {
  inflater ??=
    synchronousMethod() === 'handle'
      ? new HandleInflater(MAX_WINDOW_BITS)
      : new DictionaryInflater(MAX_WINDOW_BITS);
  return inflater;
}

/** Closes the shared decompressor, which has failed other than by bad data. */
export function discardInflater(): void {
  inflater?.close();
  inflater = undefined;
}

/** A compressor that remembers what it has compressed. */
export function lastingDeflater(settings: CompressionSettings): Deflater {
  return synchronousMethod() === 'handle'
    ? new HandleDeflater(settings)
    : new DictionaryDeflater(settings, true);
}

/** A decompressor that remembers what it has inflated. Only handles can. */
export function lastingInflater(windowBits: number): Inflater {
  return new HandleInflater(windowBits);
}
