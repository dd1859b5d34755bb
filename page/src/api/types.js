/**
 * What the API says, as far as the page reads it (docs/api.md).
 *
 * @typedef {"agents" | "teams" | "workflows"} Kind
 *
 * @typedef {object} Component
 * @property {Kind} kind
 * @property {string} id
 * @property {string} name
 * @property {string} description
 * @property {string[]} prompts
 *
 * @typedef {object} Tool
 * @property {string} [tool_call_id]
 * @property {string} [tool_name]
 * @property {Record<string, unknown> | null} [tool_args]
 * @property {unknown} [result]
 * @property {boolean | null} [tool_call_error]
 * @property {{duration?: number} | null} [metrics]
 * @property {boolean | null} [requires_confirmation]
 * @property {boolean | null} [requires_user_input]
 * @property {boolean | null} [external_execution_required]
 * @property {Field[] | null} [user_input_schema]
 * @property {Question[] | null} [user_feedback_schema]
 *
 * @typedef {object} Field
 * @property {string} name
 * @property {string} [field_type]
 * @property {string | null} [description]
 * @property {unknown} [value]
 * @property {boolean} [required]
 * @property {unknown[] | null} [allowed_values]
 *
 * @typedef {object} Question
 * @property {string} question
 * @property {string} [header]
 * @property {{label: string, description?: string | null}[]} [options]
 * @property {boolean} [multi_select]
 *
 * @typedef {object} Requirement What a run of an agent or a team waits for.
 * @property {string} [id]
 * @property {Tool} tool_execution
 * @property {string | null} [member_agent_name]
 *
 * @typedef {object} StepRequirement What a run of a workflow waits for.
 * @property {string} step_id
 * @property {string} [step_name]
 * @property {boolean} [requires_confirmation]
 * @property {string | null} [confirmation_message]
 * @property {boolean} [requires_output_review]
 * @property {string | null} [output_review_message]
 * @property {boolean} [requires_user_input]
 * @property {string | null} [user_input_message]
 * @property {Field[] | null} [user_input_schema]
 * @property {boolean} [requires_route_selection]
 * @property {string[] | null} [available_choices]
 * @property {boolean} [allow_multiple_selections]
 * @property {{content?: unknown} | null} [step_output]
 * @property {Requirement[] | null} [executor_requirements]
 * @property {string} [error_message]
 *
 * @typedef {object} Medium
 * @property {string} [id]
 * @property {string | null} [content] base64, or the text itself for text/*
 * @property {string | null} [url]
 * @property {string | null} [mime_type]
 * @property {string | null} [filename]
 * @property {string | null} [format]
 *
 * @typedef {Record<string, any> & {event: string, run_id?: string, event_index?: number}} RunEvent
 *
 * @typedef {Record<string, any> & {run_id: string, status?: string}} StoredRun
 *
 * @typedef {object} Session
 * @property {string} session_id
 * @property {string} [session_name]
 * @property {string} [updated_at]
 * @property {string} [agent_id]
 * @property {string} [team_id]
 * @property {string} [workflow_id]
 *
 * @typedef {object} RunKey Where a run is found.
 * @property {Kind} kind
 * @property {string} component
 * @property {string} session
 * @property {string} run
 */
export {};
