import type { Config } from '../../../config/environment.ts';
import { UsageError, TaskFailedError } from '../../../errors.ts';
import { findKeyProblem, findNameProblems } from '../../../models/create/known-models.ts';
import { catalogOf, type CatalogEntry } from '../../../pricing/catalog.ts';
import { readConfig } from '../../input/read-config.ts';
import { renderModel, renderModels, renderRoutes, type ShownModel } from './models-render.ts';
import { printJson } from '../../output/print.ts';
import { EXIT } from '../../output/report-failure.ts';
import { FREE_LOCAL_RULE } from '../../../pricing/free-local.ts';

/** Does `fleet models ls`. It needs no Redis. */
export async function runModelsListCommand(options: { json?: boolean }): Promise<void> {
  const config = readConfig();
  const catalog = catalogOf(config);
  const models = catalog.list(new Date()).map((entry) => toShown(entry, config));
  const problems = findNameProblems(config, catalog, new Date());
  if (problems.length > 0) process.exitCode = EXIT.failed;
  if (options.json === true) return printJson({ models: models.map(toJson), routes: config.routes, problems });
  console.log(renderModels(models));
  const local = models.filter(({ entry }) => entry.isLocal).map(({ entry }) => entry.id);
  console.log('\nPrices in dollars a million tokens. * is of models.json. fleet models show ID tells more.');
  const atPeak = models.filter(({ entry }) => entry.nowFactor > 1).map(({ entry }) => entry.id);
  if (atPeak.length > 0) console.log(`Dearer now, at the hours of their peak: ${atPeak.join(', ')}`);
  if (local.length > 0) console.log(`${FREE_LOCAL_RULE}: ${local.join(', ')}`);
  console.log(`\n${config.routes.length === 0 ? toDefaults(config) : renderRoutes(config.routes)}`);
  for (const { place, problem } of problems) console.error(`❌ ${place}: ${problem}`);
}

/** Does `fleet models show`. */
export async function runModelsShowCommand(id: string, options: { json?: boolean }): Promise<void> {
  const config = readConfig();
  const shown = toShown(findEntry(config, id), config);
  if (options.json === true) return printJson(toJson(shown));
  console.log(renderModel(shown));
}

/** @throws UsageError for a model that is unknown, retired or without a price */
export function findEntry(config: Config, id: string): CatalogEntry {
  try {
    return catalogOf(config).find(id, new Date());
  } catch (error) {
    if (error instanceof TaskFailedError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function toShown(entry: CatalogEntry, config: Config): ShownModel {
  const isOwn = config.models.some(({ id, since }) => id === entry.id && since === entry.since);
  return { entry, isOwn, keyProblem: findKeyProblem(entry, config) };
}

/** The address may hold a password. */
function toJson({ entry, isOwn, keyProblem }: ShownModel) {
  const { baseUrl, ...rest } = entry;
  return { ...rest, hasOwnAddress: baseUrl !== null, isOwn, keyProblem };
}

function toDefaults({ FLEET_HAIKU_MODEL: haiku, FLEET_COORDINATOR_MODEL: planner }: Config): string {
  return `No routes: ${haiku} does the tasks that name no model, ${planner} plans and answers missions.`;
}
