import { parseResult } from '../../../outside/parse-result.ts';
import { readTextFile } from '../../input/files.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';

export interface ReportCommandOptions {
  lease: string;
  /** Path, or `-`. */
  result: string;
  files?: string[];
  citations?: string[];
  tokens?: { input: number; output: number };
  cost?: number;
  json?: boolean;
}

/** Does `fleet report`. */
export async function runReportCommand(taskId: string, options: ReportCommandOptions): Promise<void> {
  const { lease, files, citations, tokens, cost } = options;
  const result = parseResult(readTextFile('--result', options.result).text);
  await withFleet(async (fleet) => {
    const answer = await fleet.outside.report({
      taskId,
      lease,
      result,
      ...(files === undefined ? {} : { files }),
      ...(citations === undefined ? {} : { citations }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(cost === undefined ? {} : { costUsd: cost }),
    });
    if (options.json) return printJson(answer);
    const what = answer.recorded === 'already' ? 'Recorded already' : 'Recorded';
    console.log(`${what}: fleet findings ${answer.finding_id}`);
  });
}
