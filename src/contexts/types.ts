/** A memory context: a named document that tasks can ask for. */
export interface ContextInfo {
  name: string;
  /** Of its text in UTF-8. */
  bytes: number;
  /** Of its text in UTF-8, hexadecimal: the version. */
  sha256: string;
  /** UTC instant. */
  loadedAt: string;
}

/** The text of a memory context, of one version. */
export interface MemoryContext {
  name: string;
  text: string;
}

/** Which text a task began with. */
export type ContextVersion = Pick<ContextInfo, 'name' | 'sha256'>;

/** A memory context with its text, of one version. */
export interface StoredContext extends ContextInfo, MemoryContext {}
