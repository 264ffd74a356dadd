import type { Message, Person, Rooms as RoomsInstance, Socket } from './example';
import { HISTORY, Rooms } from './example';

const ada = { id: '1', name: 'Ada' };
const grace = { id: '2', name: 'Grace' };

/** A socket that keeps what it is given. */
class FakeSocket implements Socket {
  received: Message[] = [];
  closed: [code: number, reason: string] | null = null;

  send(text: string): void {
    this.received.push(JSON.parse(text));
  }

  close(code: number, reason: string): void {
    this.closed = [code, reason];
  }

  /** The messages since the last call, without the lists of rooms. */
  news(): Message[] {
    const news = this.received.filter(({ type }) => type !== 'rooms');
    this.received = [];
    return news;
  }
}

let rooms: RoomsInstance;

beforeEach(() => {
  jest.useFakeTimers({ now: 1_700_000_000_000 });
  rooms = new Rooms({ linger: 1000 });
});

afterEach(() => jest.useRealTimers());

function enter(person: Person, room = 'lobby') {
  const socket = new FakeSocket();
  return { socket, room: rooms.enter(room, socket, person) };
}

describe('a room', () => {
  test('welcomes a newcomer with all there is to know', () => {
    const { room } = enter(ada);
    room.say(ada, { id: 'a', text: 'hello' });
    const { socket } = enter(grace);
    expect(socket.received[0]).toEqual({
      type: 'welcome',
      room: 'lobby',
      you: grace,
      people: [ada, grace],
      history: [{ type: 'said', id: 'a', person: ada, text: 'hello', at: 1_700_000_000_000 }],
      rooms: [{ name: 'lobby', people: 2 }],
    });
  });

  test('tells everybody what is said, the speaker too, and no other room', () => {
    const first = enter(ada);
    const second = enter(grace);
    const elsewhere = enter({ id: '3', name: 'Linus' }, 'kernel');
    for (const { socket } of [first, second, elsewhere]) socket.news();
    first.room.say(ada, { id: 'a', text: 'hello' });
    const said = [{ type: 'said', id: 'a', person: ada, text: 'hello', at: 1_700_000_000_000 }];
    expect(first.socket.news()).toEqual(said);
    expect(second.socket.news()).toEqual(said);
    expect(elsewhere.socket.news()).toEqual([]);
  });

  test('tells who comes and goes', () => {
    const { socket } = enter(ada);
    socket.news();
    const second = enter(grace);
    rooms.leave(second.room, second.socket);
    expect(socket.news()).toEqual([
      { type: 'joined', person: grace },
      { type: 'left', person: grace },
    ]);
  });

  test('counts two tabs of one person once', () => {
    const { socket, room } = enter(ada);
    const tabs = [enter(grace), enter(grace)];
    expect(room.people).toEqual([ada, grace]);
    rooms.leave(room, tabs[0].socket);
    expect(room.people).toEqual([ada, grace]);
    rooms.leave(room, tabs[1].socket);
    expect(room.people).toEqual([ada]);
    expect(socket.news().map(({ type }) => type)).toEqual(['welcome', 'joined', 'left']);
  });

  test('keeps the newest messages only', () => {
    const { room } = enter(ada);
    for (let i = 1; i <= HISTORY + 1; i++) room.say(ada, { id: String(i), text: 'hello' });
    expect(room.history.map(({ id }) => id)).toEqual(
      Array.from({ length: HISTORY }, (_, index) => String(index + 2)),
    );
  });
});

describe('the rooms', () => {
  test('always have the lobby, first', () => {
    expect(rooms.list()).toEqual([{ name: 'lobby', people: 0 }]);
    enter(ada, 'garden');
    enter(ada, 'attic');
    expect(rooms.list()).toEqual([
      { name: 'lobby', people: 0 },
      { name: 'attic', people: 1 },
      { name: 'garden', people: 1 },
    ]);
  });

  test('are announced everywhere when somebody comes or goes', () => {
    const { socket } = enter(ada);
    const second = enter(grace, 'garden');
    rooms.leave(second.room, second.socket);
    const lists = socket.received.filter(({ type }) => type === 'rooms');
    expect(lists.map((message) => message.rooms)).toEqual([
      [{ name: 'lobby', people: 1 }],
      [
        { name: 'lobby', people: 1 },
        { name: 'garden', people: 1 },
      ],
      [{ name: 'lobby', people: 1 }],
    ]);
  });

  test('are forgotten some time after the last one has left', () => {
    const { socket, room } = enter(ada, 'garden');
    room.say(ada, { id: 'a', text: 'hello' });
    rooms.leave(room, socket);
    expect(rooms.list()).toEqual([{ name: 'lobby', people: 0 }]);
    jest.advanceTimersByTime(999);
    const again = enter(ada, 'garden');
    expect(again.room.history).toHaveLength(1);
    // Nobody has left since, so the old time must not run out.
    jest.advanceTimersByTime(10_000);
    expect(enter(grace, 'garden').room).toBe(room);
  });

  test('are new after that time', () => {
    const { socket, room } = enter(ada, 'garden');
    room.say(ada, { id: 'a', text: 'hello' });
    rooms.leave(room, socket);
    jest.advanceTimersByTime(1000);
    expect(enter(ada, 'garden').room.history).toEqual([]);
  });

  test('know the names in use', () => {
    enter(ada, 'garden');
    expect(rooms.isTaken('Ada')).toBe(true);
    expect(rooms.isTaken('ADA')).toBe(true);
    expect(rooms.isTaken('Ada', ada)).toBe(false);
    expect(rooms.isTaken('Adam')).toBe(false);
  });

  test('dismiss a person from all of them', () => {
    const tabs = [enter(ada), enter(ada), enter(ada, 'garden')];
    const other = enter(grace);
    rooms.dismiss(ada, 4001, 'Logged out');
    for (const { socket } of tabs) expect(socket.closed).toEqual([4001, 'Logged out']);
    expect(other.socket.closed).toBeNull();
  });
});
