import { CloseEvent, ErrorEvent, MessageEvent, WebSocketEvent } from '../src/event-target';
import { WebSocket } from '../src/websocket';

/** A socket that is given events by hand. */
function create(): WebSocket {
  return new WebSocket(null);
}

describe('events', () => {
  test('are real events whose target is the WebSocket', () => {
    const socket = create();
    const events: Event[] = [];
    for (const type of ['open', 'message', 'close', 'error'] as const) {
      // More than their types say.
      socket.addEventListener(type, (event) => events.push(event as Event & typeof event));
    }
    socket.emit('open');
    socket.emit('message', Buffer.from('a'), false);
    socket.emit('error', new Error('e'));
    socket.emit('close', 1001, Buffer.from('bye'));
    expect(events.map((event) => event.constructor)).toEqual([
      WebSocketEvent,
      MessageEvent,
      ErrorEvent,
      CloseEvent,
    ]);
    for (const event of events) {
      expect(event).toBeInstanceOf(Event);
      expect([event.target, event.currentTarget]).toEqual([socket, socket]);
      expect([event.bubbles, event.cancelable, event.defaultPrevented]).toEqual([
        false,
        false,
        false,
      ]);
    }
    expect(events.map((event) => event.type)).toEqual(['open', 'message', 'error', 'close']);
  });

  test('carry what the emitter tells', () => {
    const socket = create();
    const seen: unknown[] = [];
    socket.onmessage = ({ data }) => seen.push(data);
    socket.onerror = ({ error, message }) => seen.push(error.name, message);
    socket.onclose = ({ code, reason, wasClean }) => seen.push(code, reason, wasClean);
    socket.emit('message', Buffer.from('grüße'), false);
    socket.emit('message', 'already text', false);
    socket.emit('message', Buffer.from([1]), true);
    socket.emit('message', [Buffer.from([2])], true);
    socket.emit('error', new RangeError('too much'));
    socket.emit('close', 1006, Buffer.alloc(0));
    expect(seen).toEqual([
      'grüße',
      'already text',
      Buffer.from([1]),
      [Buffer.from([2])],
      'RangeError',
      'too much',
      1006,
      '',
      false,
    ]);
  });
});

describe('addEventListener()', () => {
  test('ignores null, as browsers do, and other events than the four', () => {
    const socket = create();
    socket.addEventListener('message', null as never);
    for (const type of ['ping', 'toString', '__proto__', 'Message', '']) {
      socket.addEventListener(type as 'open', () => undefined);
      expect(socket.listenerCount(type)).toBe(0);
    }
    expect(socket.eventNames()).toEqual([]);
  });

  test.each([[undefined], [5], ['listener'], [true]])('refuses %p', (listener) => {
    expect(() => create().addEventListener('message', listener as never)).toThrow(TypeError);
  });

  test('takes a listener once for each event, whatever the options', () => {
    const socket = create();
    const listener = jest.fn();
    socket.addEventListener('open', listener, { once: true });
    socket.addEventListener('open', listener);
    socket.addEventListener('close', listener);
    expect([socket.listenerCount('open'), socket.listenerCount('close')]).toEqual([1, 1]);
    socket.emit('open');
    socket.emit('open');
    expect(listener).toHaveBeenCalledTimes(1);
    socket.addEventListener('open', listener);
    socket.emit('open');
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test('calls listeners in the order in which they came, of whatever kind', () => {
    const socket = create();
    const order: string[] = [];
    socket.addEventListener('open', () => order.push('listener'));
    socket.on('open', () => order.push('emitter'));
    socket.onopen = () => order.push('attribute');
    socket.addEventListener('open', { handleEvent: () => order.push('object') });
    socket.emit('open');
    expect(order).toEqual(['listener', 'emitter', 'attribute', 'object']);
  });

  test('a listener may remove itself and another while it is called', () => {
    const socket = create();
    const order: string[] = [];
    const first = (): void => {
      order.push('first');
      socket.removeEventListener('open', first);
      socket.removeEventListener('open', second);
    };
    const second = (): void => {
      order.push('second');
    };
    socket.addEventListener('open', first);
    socket.addEventListener('open', second);
    socket.emit('open');
    socket.emit('open');
    expect(order).toEqual(['first', 'second']);
  });
});

describe('removeEventListener()', () => {
  test('takes away what addEventListener() added and nothing else', () => {
    const socket = create();
    const listener = jest.fn();
    socket.on('open', listener);
    socket.onopen = listener;
    socket.addEventListener('open', listener);
    socket.removeEventListener('open', listener);
    socket.removeEventListener('open', listener);
    socket.removeEventListener('open', () => undefined);
    socket.removeEventListener('nothing' as 'open', listener);
    expect(socket.listenerCount('open')).toBe(2);
    expect(socket.onopen).toBe(listener);
  });
});

describe('attributes', () => {
  test('hold one function each, or null', () => {
    const socket = create();
    const [first, second] = [jest.fn(), jest.fn()];
    expect(socket.onopen).toBeNull();
    socket.onopen = first;
    socket.onopen = second;
    expect(socket.onopen).toBe(second);
    socket.emit('open');
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
    for (const nothing of [null, undefined, 'x', {}]) {
      socket.onopen = second;
      socket.onopen = nothing as never;
      expect(socket.onopen).toBeNull();
    }
    expect(socket.listenerCount('open')).toBe(0);
  });

  test('of the same function do not stand in the way of addEventListener()', () => {
    const socket = create();
    const listener = jest.fn();
    socket.onopen = listener;
    socket.addEventListener('open', listener);
    socket.emit('open');
    expect(listener).toHaveBeenCalledTimes(2);
    expect(listener.mock.contexts).toEqual([socket, socket]);
  });
});
