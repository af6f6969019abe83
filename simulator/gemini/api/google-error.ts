const STATUS_NAMES = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
} as const;

const SERVICE = 'generativelanguage.googleapis.com';

/**
 * An error that the simulated provider answers with, in the words and shape of the real one.
 * https://ai.google.dev/gemini-api/docs/troubleshooting
 */
export class GoogleError extends Error {
  override name = 'GoogleError';
  constructor(
    readonly status: keyof typeof STATUS_NAMES,
    message: string,
    readonly details: readonly object[] = [],
    readonly statusName: string = STATUS_NAMES[status],
  ) {
    super(message);
  }

  toBody(): object {
    const details = this.details.length === 0 ? {} : { details: this.details };
    return { error: { code: this.status, message: this.message, status: this.statusName, ...details } };
  }
}

export function invalidArgument(message: string): GoogleError {
  return new GoogleError(400, message);
}

export function invalidKey(message = 'API key not valid. Please pass a valid API key.'): GoogleError {
  return new GoogleError(400, message, [
    toErrorInfo('API_KEY_INVALID', { service: SERVICE }),
    { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage', locale: 'en-US', message },
  ]);
}

export function missingKey(): GoogleError {
  return new GoogleError(
    403,
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
  );
}

export function serviceDisabled(project: string): GoogleError {
  const message = `Generative Language API has not been used in project ${project} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/${SERVICE}/overview?project=${project} then retry.`;
  const metadata = { service: SERVICE, consumer: `projects/${project}` };
  return new GoogleError(403, message, [toErrorInfo('SERVICE_DISABLED', metadata)]);
}

export function unknownModel(model: string): GoogleError {
  return new GoogleError(
    404,
    `models/${model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
  );
}

function toErrorInfo(reason: string, metadata: Record<string, string>): object {
  return { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com', metadata };
}
