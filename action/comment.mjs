// Keeps one comment of a pull request up to date: `node comment.mjs KEY FILE`. The comment is known again by a marker
// with the key, so that several specs have a comment each. Needs nothing but Node; never fails the job.
import { readFileSync } from 'node:fs';

const { GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_EVENT_PATH, GITHUB_SERVER_URL, GITHUB_RUN_ID, INPUT_GITHUB_TOKEN } =
  process.env;
const [key, file] = process.argv.slice(2);
const PER_PAGE = 100;
/** GitHub refuses longer ones, in characters. */
const LONGEST = 65_000;
const TRIES = 3;

class Refusal extends Error {
  constructor(status, message) {
    super(`GitHub answered ${status}: ${message}`);
    this.status = status;
  }
}

async function api(method, path, body) {
  for (let attempt = 1; ; attempt++) {
    const answer = await fetch(`${GITHUB_API_URL}${path}`, {
      method,
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${INPUT_GITHUB_TOKEN}`,
        'content-type': 'application/json',
        'user-agent': 'osapi-ops',
        'x-github-api-version': '2022-11-28',
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const value = await answer.json().catch(() => ({}));
    if (answer.ok) return value;
    if (attempt === TRIES || (answer.status < 500 && answer.status !== 429)) {
      throw new Refusal(answer.status, value.message ?? '');
    }
    await new Promise((resolve) => setTimeout(resolve, attempt * 1000));
  }
}

/** Whose comments are ours: a person's may hold the marker, and its author could change what we write there. */
async function isOurs() {
  try {
    const { login } = await api('GET', '/user');
    return (comment) => comment.user?.login === login;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // The token of a job belongs to an app, which has no user of its own.
    return (comment) => comment.user?.type === 'Bot';
  }
}

async function find(comments, marker) {
  const ours = await isOurs();
  for (let page = 1; ; page++) {
    const some = await api('GET', `${comments}?per_page=${PER_PAGE}&page=${page}`);
    const found = some.find((comment) => comment.body?.startsWith(marker) && ours(comment));
    if (found || some.length < PER_PAGE) return found;
  }
}

async function write({ number, head }) {
  // A key is a path: whatever else it holds could end the marker.
  const marker = `<!-- osapi-ops plan: ${encodeURI(key).replaceAll('--', '-%2D')} -->`;
  const repository = `/repos/${GITHUB_REPOSITORY}`;
  const comments = `${repository}/issues/${number}/comments`;
  const run = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  const foot = `<sub>Of commit ${head.sha}, by [this run](${run}).</sub>`;
  const text = readFileSync(file, 'utf8').slice(0, LONGEST - marker.length - foot.length);
  const body = `${marker}\n${text}\n${foot}\n`;
  const before = await find(comments, marker);
  const after = before
    ? await api('PATCH', `${repository}/issues/comments/${before.id}`, { body })
    : await api('POST', comments, { body });
  console.log(`${before ? 'updated' : 'wrote'} the comment ${after.html_url}`);
}

try {
  const { pull_request: pullRequest } = JSON.parse(readFileSync(GITHUB_EVENT_PATH, 'utf8'));
  if (pullRequest) await write(pullRequest);
} catch (error) {
  const why =
    error.status === 403 || error.status === 404
      ? 'the job needs `permissions: pull-requests: write`, which a pull request from a fork never gets'
      : `${error.message}`.replace(/\s+/g, ' ');
  console.log(`::warning title=osapi-ops::no comment was written: ${why}. The plan is in the summary of this job`);
}
