import type { AnyTool } from './tool/types.ts';
import { askArchive } from './tools/ask-archive.ts';
import { cancel } from './tools/cancel.ts';
import { claim } from './tools/claim.ts';
import { delegate } from './tools/delegate.ts';
import { failed } from './tools/failed.ts';
import { mission } from './tools/mission.ts';
import { remember } from './tools/remember.ts';
import { report } from './tools/report.ts';
import { result } from './tools/result.ts';
import { retry } from './tools/retry.ts';
import { rules } from './tools/rules.ts';
import { searchFindings } from './tools/search-findings.ts';
import { status } from './tools/status.ts';
import { wait } from './tools/wait.ts';

/** All tools, in the order in which a client lists them. */
export const toolList: readonly AnyTool[] = [
  delegate,
  wait,
  result,
  searchFindings,
  askArchive,
  mission,
  rules,
  status,
  cancel,
  retry,
  failed,
  remember,
  claim,
  report,
];
