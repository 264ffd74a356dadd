import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The numbers in a list of the kernel's, such as `0-3,8`. */
function numbersOf(list) {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function readList(file, pattern = /^(.*)$/m) {
  try {
    return numbersOf(pattern.exec(readFileSync(file, 'utf8'))[1].trim());
  } catch (error) {
    // Not Linux, or a kernel without it.
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

const siblingsOf = (core) =>
  readList(`/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`);

/**
 * A core for what is measured and one for the generator, that share no physical one. Where a process cannot be kept on
 * one, the reason.
 *
 * @param {string} [wanted] `0,1`, or `none`
 * @returns {{ subject?: number, load?: number, unpinned?: string }}
 * @throws Error for anything else
 */
export function chooseCores(wanted) {
  if (wanted === 'none') return { unpinned: 'as it was asked for' };
  if (wanted !== undefined && !/^\d+,\d+$/.test(wanted)) {
    throw new Error(`--cores takes two numbers, such as 0,1, or none, and not "${wanted}"`);
  }
  if (spawnSync('taskset', ['-V']).error) return { unpinned: 'there is no taskset' };
  const allowed = readList('/proc/self/status', /^Cpus_allowed_list:(.*)$/m);
  const [subject, load] = wanted === undefined ? apart(allowed) : wanted.split(',').map(Number);
  if (load === undefined) return { unpinned: 'there is one core alone' };
  for (const core of [subject, load]) {
    if (!allowed.includes(core)) throw new Error(`Core ${core} is not to be had here`);
  }
  return { subject, load };
}

function apart([first, ...others]) {
  const siblings = siblingsOf(first);
  return [first, others.find((core) => !siblings.includes(core)) ?? others[0]];
}
