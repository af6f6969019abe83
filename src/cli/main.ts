#!/usr/bin/env node
/** The `fleet` command. Process entry; nothing imports it. It loads nothing before the version of Node is known to fit. */
import { createRequire } from 'node:module';

createRequire(import.meta.url)('../../../scripts/require-node.cjs'); // as seen from dist/src/cli
const { runCommandLine } = await import('./program.ts');
await runCommandLine(process.argv);
