import { defineAttributes } from './event-target';
import { STATE_NAMES, State } from './protocol/state';
import type { WebSocket } from './websocket';

/** What `for…in` shows of a WebSocket, as in `ws`, beside the attributes for listeners and the states. */
const ENUMERABLE = [
  'binaryType',
  'bufferedAmount',
  'extensions',
  'isPaused',
  'protocol',
  'readyState',
  'url',
  'addEventListener',
  'removeEventListener',
];

/** Gives the class the constants of its states and the attributes of a browser's WebSocket. */
export function defineSurface(Class: typeof WebSocket): void {
  const { prototype } = Class;
  for (const name of STATE_NAMES) {
    const constant = { enumerable: true, value: State[name] };
    Object.defineProperty(Class, name, constant);
    Object.defineProperty(prototype, name, constant);
  }
  for (const name of ENUMERABLE) {
    Object.defineProperty(prototype, name, { ...descriptorOf(prototype, name), enumerable: true });
  }
  defineAttributes(prototype);
}

/** A property of a prototype or of those that it extends. */
function descriptorOf(prototype: object | null, name: string): PropertyDescriptor | undefined {
  if (prototype === null) return undefined;
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  return own ?? descriptorOf(Object.getPrototypeOf(prototype), name);
}
