import type { Config } from '../../config/environment.ts';
import { type FleetError, ProviderUnavailableError, RateLimitedError, TaskFailedError } from '../../errors.ts';
import { type Catalog, type CatalogEntry, createCatalog } from '../../pricing/catalog.ts';
import type { Model, ModelReply, ModelRequest } from '../model.ts';
import { withoutFence, withSchemaInText } from '../schema-in-text.ts';
import { ADAPTERS } from './adapters.ts';
import { type Addresses, openAddresses } from './addresses.ts';
import { findKey, requireKey, toLimitKey, withNoBill } from './keys.ts';
import { requireModelKeys } from './require-keys.ts';

/** A model that must be closed after use. */
export interface OpenModel {
  model: Model;
  close(): Promise<void>;
}

/**
 * Creates the model of this configuration: one that sends each call to the adapter of the model's row. An adapter is opened
 * at its first call, once a key and address. Offline every model is simulated (`openAddresses`).
 * @throws ConfigError without the key of the workers' own model, or offline with an address that is not this machine's
 */
export async function createModel(
  config: Config,
  catalog: Catalog = createCatalog(config.models),
  needs: readonly string[] = [config.FLEET_HAIKU_MODEL],
): Promise<OpenModel> {
  const known = requireModelKeys(config, needs, catalog);
  const addresses = await openAddresses(config);
  // What the first calls need: a call that waits for code holds a permit and money meanwhile.
  await Promise.all(known.map(({ api }) => ADAPTERS[api]()));
  return { model: new RoutedModel(config, catalog, addresses), close: addresses.close };
}

class RoutedModel implements Model {
  readonly #config: Config;
  readonly #catalog: Catalog;
  readonly #addresses: Addresses;
  readonly #open = new Map<string, Model>();

  constructor(config: Config, catalog: Catalog, addresses: Addresses) {
    this.#config = config;
    this.#catalog = catalog;
    this.#addresses = addresses;
  }

  limitKeyOf = (id: string): string | undefined => {
    try {
      const entry = this.#catalog.findPrices(id, new Date());
      const key = findKey(entry, this.#config);
      return key === undefined ? undefined : toLimitKey(entry, key);
    } catch (error) {
      if (error instanceof TaskFailedError) return undefined; // an unknown model: no call of it is made
      throw error;
    }
  };

  call: Model['call'] = async (request, options) => {
    const { entry, adapter } = await this.#find(request, options.shard);
    const isInText = request.outputSchema !== undefined && !entry.abilities.schema;
    const reply = await toRowErrors(entry, () => adapter.call(toRequest(request, entry), options));
    return isInText ? withoutFence(reply) : reply;
  };

  countTokens: Model['countTokens'] = async (request, options) => {
    const { entry, adapter } = await this.#find(request);
    return toRowErrors(entry, () => adapter.countTokens(toRequest(request, entry), options));
  };

  /** @throws TaskFailedError (`model`) before anything is sent */
  async #find({ model: id, tools }: ModelRequest, shard?: number): Promise<{ entry: CatalogEntry; adapter: Model }> {
    const entry = this.#findEntry(id);
    if (tools.length > 0 && !entry.abilities.tools) {
      throw withNoBill(
        new TaskFailedError('model', `model ${id}: it calls no tools, as its row says, and a task needs them`),
      );
    }
    const create = await ADAPTERS[entry.api]();
    const apiKey = requireKey(entry, this.#config, shard);
    const { vendor } = entry;
    const baseUrl = await this.#addresses.of(entry);
    const name = JSON.stringify([entry.api, vendor, baseUrl, apiKey]);
    const known = this.#open.get(name);
    if (known !== undefined) return { entry, adapter: known };
    const { FLEET_CALL_IDLE_MS: idleMs, FLEET_CALL_TIMEOUT_MS: totalMs } = this.#config;
    const adapter = create({ apiKey, baseUrl, vendor, idleMs, totalMs });
    this.#open.set(name, adapter);
    return { entry, adapter };
  }

  #findEntry(id: string): CatalogEntry {
    try {
      return this.#catalog.findPrices(id, new Date());
    } catch (error) {
      throw error instanceof TaskFailedError ? withNoBill(error) : error;
    }
  }
}

/** The request as the adapter sends it: with the provider's name of the model, and nothing that its row rules out. */
function toRequest(request: ModelRequest, { model, abilities }: CatalogEntry): ModelRequest {
  const { effort, ...rest } = abilities.schema ? request : withSchemaInText(request);
  return { ...rest, ...(abilities.thinking && effort !== undefined && { effort }), model, abilities };
}

/** Errors name the model by its row: cool-downs and routes go by that name. */
async function toRowErrors<Result extends ModelReply | number | null>(
  entry: CatalogEntry,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (entry.model !== entry.id && isAboutModel(error)) Object.assign(error, { model: entry.id });
    throw error;
  }
}

function isAboutModel(error: unknown): error is FleetError {
  return error instanceof RateLimitedError || error instanceof ProviderUnavailableError;
}
