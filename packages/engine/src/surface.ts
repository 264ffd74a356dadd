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

/** Getters that `ws` does not have. A program written for `ws` may keep something of its own under such a name. */
const BEYOND_WS = ['closed', 'opened', 'streams', 'topics'];

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
  for (const name of BEYOND_WS) {
    Object.defineProperty(prototype, name, { ...descriptorOf(prototype, name), set: shadow(name) });
  }
  defineAttributes(prototype);
}

/** A setter that puts a property of the object's own in the getter's place. */
function shadow(name: string): (this: object, value: unknown) => void {
  return function (value) {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(this, name, property);
  };
}

/** A property of a prototype or of those that it extends. */
function descriptorOf(prototype: object | null, name: string): PropertyDescriptor | undefined {
  if (prototype === null) return undefined;
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  return own ?? descriptorOf(Object.getPrototypeOf(prototype), name);
}
