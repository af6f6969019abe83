/** What a task is mainly about. Statistics and routing; it changes no permission. */
export const TASK_KINDS = ['file', 'git', 'api-test', 'transform', 'search', 'analysis', 'docs', 'other'] as const;
