/** A finding as the librarian's prompt shows it. */
export interface ShownFinding {
  id: string;
  /** The attributes besides the id, as they stand: time, session. */
  attributes: string;
  text: string;
}

export interface ArchivePrompt {
  /** Oldest first, as shown. */
  findings: ShownFinding[];
  /** Null where nothing is asked in the librarian's form. */
  question: string | null;
}

/** Markers a test puts into a question, each as `[[name]]` or `[[name:number]]`. */
export interface QuestionMarkers {
  citeUnknown: boolean;
  noCitation: boolean;
  empty: boolean;
  cut: boolean;
  blocked: boolean;
  /** Milliseconds the reply takes; null: the simulator's latency. */
  latencyMs: number | null;
}

export function parseArchivePrompt(prompt: string): ArchivePrompt {
  const findings = [...prompt.matchAll(/<finding\s+id="([^"]*)"([^>]*)>([\s\S]*?)<\/finding>/g)].map(
    ([, id = '', attributes = '', text = '']) => ({ id, attributes, text: text.trim() }),
  );
  const question = [...prompt.matchAll(/<question>([\s\S]*?)<\/question>/g)].at(-1)?.[1] ?? null;
  return { findings, question };
}

export function parseMarkers(question: string): QuestionMarkers {
  const has = (name: string): boolean => question.includes(`[[${name}]]`);
  const latency = /\[\[latency:(\d{1,7})\]\]/.exec(question)?.[1];
  return {
    citeUnknown: has('cite-unknown'),
    noCitation: has('no-citation'),
    empty: has('empty'),
    cut: has('cut'),
    blocked: has('blocked'),
    latencyMs: latency === undefined ? null : Number(latency),
  };
}

/** The question without its markers. */
export function stripMarkers(question: string): string {
  return question.replaceAll(/\s*\[\[[a-z-]+(?::\d+)?\]\]/g, '').trim();
}
