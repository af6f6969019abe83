/** One line of the Prometheus text format. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Reads the Prometheus text format. @throws Error at a line that is neither a comment nor a sample */
export function readSamples(text: string) {
  const samples = text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [toSample(line)]));
  const find = (name: string, labels: Record<string, string> = {}): Sample[] =>
    samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([label, of]) => sample.labels[label] === of),
    );
  return {
    samples,
    find,
    /** The value of the only sample with these labels; undefined: there is none, or more than one. */
    value: (name: string, labels: Record<string, string> = {}): number | undefined => {
      const found = find(name, labels);
      return found.length === 1 ? found[0]?.value : undefined;
    },
  };
}

function toSample(line: string): Sample {
  const [, name = '', list = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (value === undefined) throw new Error(`no sample: ${line}`);
  const labels = [...list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', of = '']) => [label, of]);
  return { name, labels: Object.fromEntries(labels) as Record<string, string>, value: Number(value) };
}
