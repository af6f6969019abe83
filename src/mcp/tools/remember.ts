import { z } from 'zod';
import { saveContext } from '../../contexts/memory-contexts.ts';
import { defineTool } from '../tool/types.ts';

/** Stores a document that tasks can ask for. */
export const remember = defineTool({
  name: 'remember',
  title: 'Remember a document',
  description:
    'Store a document as a memory context, or replace the whole of it (a token of role delegate replaces none): tasks get it by `contexts`. It never expires.',
  needs: 'delegate',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ name: z.string().min(1).max(100), text: z.string().min(1).max(200_000) }),
  output: z.object({ name: z.string(), bytes: z.int(), sha256: z.string() }),
  async run({ fleet, role, client }, { name, text }) {
    // Other clients' tasks read it: a token of role delegate adds documents, and replaces none.
    const replaces = client === null || role !== 'delegate';
    await fleet.inner.assertMayAdd();
    const { bytes, sha256 } = await saveContext(fleet.inner.db, name, text, { replaces });
    return { name, bytes, sha256 };
  },
});
