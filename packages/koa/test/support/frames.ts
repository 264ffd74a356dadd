import { enter, masked } from '../../../engine/test/support/site';

/** A closing frame with 1011 and nothing else. */
export const ONLY_1011 = ['88 03f3'];

/** Sends a message, and tells all bytes behind the 101 as frames; anything else fails the test. */
export async function framesBehind101(port: number, path: string): Promise<string[]> {
  const client = await enter(port, `GET ${path} HTTP/1.1`);
  client.write(masked({ opcode: 1, payload: 'hi' }));
  const frames: string[] = [];
  for (let frame = await client.frame(); frame !== undefined; frame = await client.frame()) {
    frames.push(`${frame.first.toString(16)} ${frame.payload.toString('hex')}`);
    if (frame.first === 0x88) client.write(masked({ opcode: 8, payload: frame.payload }));
  }
  return frames;
}
