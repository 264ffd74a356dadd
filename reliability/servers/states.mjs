// What an application may call in every state of a WebSocket.
import { once } from 'node:events';

/** What a call did: threw, called back with an error, or nothing of the kind. */
async function outcome(call) {
  try {
    return await new Promise((resolve) => {
      call((error) => resolve(error ? 'error' : 'done'));
    });
  } catch {
    return 'threw';
  }
}

/** The same of a call that calls back to nobody. */
function quiet(call) {
  try {
    call();
    return 'done';
  } catch {
    return 'threw';
  }
}

/** Calls everything while a WebSocket closes, and when it has closed. */
export async function callInStates(ws) {
  const results = {};
  const call = async (state) => {
    results[`send, ${state}`] = await outcome((told) => ws.send('late', told));
    results[`send without a callback, ${state}`] = quiet(() => ws.send('late'));
    results[`ping, ${state}`] = await outcome((told) => ws.ping('late', false, told));
    results[`close again, ${state}`] = quiet(() => ws.close(1000));
    results[`pause and resume, ${state}`] = quiet(() => {
      ws.pause();
      ws.resume();
    });
  };
  results['close in the handler'] = quiet(() => ws.close(4000, 'bye'));
  await call('closing');
  if (ws.readyState !== 3) await once(ws, 'close');
  await call('closed');
  results['terminate, closed'] = quiet(() => ws.terminate());
  return results;
}
