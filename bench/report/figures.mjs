// What is told of a run, and how a person reads it.

const significant = (value) => {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
};

function perSecond(value) {
  if (value >= 1e6) return `${significant(value / 1e6)} M/s`;
  if (value >= 1e3) return `${significant(value / 1e3)} k/s`;
  return `${significant(value)} /s`;
}

const withUnit = (unit) => (value) => `${significant(value)} ${unit}`;

/**
 * Each figure: its name in the table, whether less is better, and how it is written.
 *
 * @type {Record<string, { label: string, lessIsBetter: boolean, show: (value: number) => string }>}
 */
export const figures = {
  cpu: { label: 'CPU', lessIsBetter: true, show: withUnit('µs') },
  rate: { label: 'clock', lessIsBetter: false, show: perSecond },
  p50: { label: 'p50', lessIsBetter: true, show: withUnit('µs') },
  p99: { label: 'p99', lessIsBetter: true, show: withUnit('µs') },
  delay50: { label: 'delay p50', lessIsBetter: true, show: withUnit('ms') },
  delay99: { label: 'delay p99', lessIsBetter: true, show: withUnit('ms') },
  memory: { label: 'memory', lessIsBetter: true, show: withUnit('KiB') },
};

/** Figures that go together, in the order of the table. */
export const kinds = {
  traffic: ['cpu', 'rate'],
  latency: ['cpu', 'p50', 'p99'],
  delay: ['cpu', 'rate', 'delay50', 'delay99'],
  memory: ['memory'],
};
