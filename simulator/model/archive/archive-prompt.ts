import { findMarkerNumber, hasMarker } from '../markers.ts';

/** A finding in the librarian's prompt. */
export interface ShownFinding {
  id: string;
  /** Its other attributes, such as time and session, unparsed. */
  attributes: string;
  text: string;
}

export interface ArchivePrompt {
  /** In the order of the prompt: oldest first. */
  findings: ShownFinding[];
  /** Null for a prompt without a question in the librarian's form. */
  question: string | null;
}

/** What the markers of a question ask for. */
export interface QuestionMarkers {
  /** `[[cite-unknown]]`: the answer cites a finding that does not exist. */
  citeUnknown: boolean;
  /** `[[no-citation]]`: the answer cites nothing. */
  noCitation: boolean;
  /** `[[empty]]`: the reply has no text. */
  empty: boolean;
  /** `[[cut]]`: the reply ends in the middle. */
  cut: boolean;
  /** `[[blocked]]`: the provider refuses the prompt. */
  blocked: boolean;
  /** `[[latency:N]]`: ms that the reply takes. Null: the simulator's latency. */
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
  return {
    citeUnknown: hasMarker(question, 'cite-unknown'),
    noCitation: hasMarker(question, 'no-citation'),
    empty: hasMarker(question, 'empty'),
    cut: hasMarker(question, 'cut'),
    blocked: hasMarker(question, 'blocked'),
    latencyMs: findMarkerNumber(question, 'latency'),
  };
}
