import type { Transition } from '../../src/protocol/state';
import { nextState, notOpen, State } from '../../src/protocol/state';

const { OPEN, CLOSING, CLOSED } = State;

test('the numbers are those of the browser', () => {
  expect(State).toEqual({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });
});

test.each<[Transition, State, State, State]>([
  ['closeSent', CLOSING, CLOSING, CLOSED],
  ['closeReceived', CLOSING, CLOSING, CLOSED],
  ['failed', CLOSING, CLOSING, CLOSED],
  ['transportEnded', CLOSING, CLOSING, CLOSED],
  ['transportClosed', CLOSED, CLOSED, CLOSED],
])('%s leads from OPEN to %i, from CLOSING to %i, from CLOSED to %i', (transition, ...after) => {
  expect([OPEN, CLOSING, CLOSED].map((state) => nextState(state, transition))).toEqual(after);
});

test('who comes too early or too late is told the state', () => {
  expect(notOpen(State.CONNECTING)).toEqual(
    new Error('WebSocket is not open: readyState 0 (CONNECTING)'),
  );
  expect(notOpen(CLOSING).message).toBe('WebSocket is not open: readyState 2 (CLOSING)');
});
