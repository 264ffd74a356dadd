import { DEFLATE_IN_PLACE_BELOW, DEFLATE_ON_THREADS_FROM, DEFLATED_IN_A_TURN } from './limits';

/** Bytes that were compressed in the thread of the event loop since it last went round. */
let spent = 0;

function nextTurn(): void {
  spent = 0;
}

/**
 * Whether a message is compressed on the thread pool: a large one always, one of medium size where so much has been
 * compressed in this turn of the event loop that everybody else would wait for it.
 */
export function goesToThread(length: number): boolean {
  if (length >= DEFLATE_ON_THREADS_FROM) return true;
  if (spent > 0 && length >= DEFLATE_IN_PLACE_BELOW && spent + length > DEFLATED_IN_A_TURN) {
    return true;
  }
  if (spent === 0) setImmediate(nextTurn);
  spent += length;
  return false;
}
