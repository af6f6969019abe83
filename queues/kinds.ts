/** What a task is mainly about, for statistics and forecasts. It changes no permission. */
export const TASK_KINDS = ['file', 'git', 'api-test', 'transform', 'search', 'analysis', 'docs', 'other'] as const;

/** Who may take a task. `any`: offered to outside workers first, for 30 s. */
export const TASK_FOR = ['fleet', 'outside', 'any'] as const;

/** Tasks that a worker does without a model. */
export const BUILT_INS = ['survey'] as const;
