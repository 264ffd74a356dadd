// Those to whom a server sends: some read, some do not.
import { Member } from './crowd.mjs';

export class Audience {
  #members = [];
  #delays = [];

  /** Opens members that read, and measure how old what they read is. */
  async live(address, count) {
    await this.#add(address, count, (payload) => {
      this.#delays.push(Date.now() - payload.readDoubleBE());
    });
  }

  /** Opens members that stop to read. */
  async paused(address, count) {
    const members = await this.#add(address, count, () => undefined);
    for (const { socket } of members) socket.pause();
  }

  /** How old messages were since the last question. */
  delays() {
    const delays = this.#delays;
    this.#delays = [];
    return delays;
  }

  async #add(address, count, onFrame) {
    const members = Array.from({ length: count }, () => new Member(address, '/echo'));
    for (const member of members) {
      member.onFrame = onFrame;
      if (!(await member.opened)) throw new Error('A member of the audience was refused');
    }
    this.#members.push(...members);
    return members;
  }
}
