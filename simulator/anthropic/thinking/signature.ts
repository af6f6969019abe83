const SIGNATURE = /^sim-(\d+)-([0-9a-f]{32})$/;

/**
 * The signature of a thinking block. The real one is opaque and holds the thinking itself, because the block's text comes
 * back empty; this one holds how many tokens that was, and the hash of the prompt before it.
 * https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
export function toSignature(tokens: number, prefixHash: string): string {
  return `sim-${tokens}-${prefixHash}`;
}

/** Null for a signature that the simulator did not make. */
export function parseSignature(signature: string): { tokens: number; prefixHash: string } | null {
  const [, tokens, prefixHash] = SIGNATURE.exec(signature) ?? [];
  return tokens === undefined || prefixHash === undefined ? null : { tokens: Number(tokens), prefixHash };
}
