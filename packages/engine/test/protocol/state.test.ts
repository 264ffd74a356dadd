import type { Transition } from '../../src/protocol/state';
import { nextState, State } from '../../src/protocol/state';

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
