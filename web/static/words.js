// What the scripts say, from the same catalogue as the server's words.

const language = document.documentElement.lang;
const sections = JSON.parse(document.getElementById("words").textContent);

// say("copied"), say("upload_of", { name }): of the scripts' own section.
export const say = (key, values = {}) => fill(sections.script[key], values);

export const state = (status) => sections.status[status];
export const hue = (name) => sections.hues[name];

// A failure or refusal by its code, or as the server put it where the catalogue does not know it.
export const failure = ({ code, message }) => sections.errors[code] ?? message;
export const refusal = (code, detail) => sections.problems[code] ?? detail ?? say("unexpected");

export const number = (value) =>
  value.toLocaleString(language, { maximumSignificantDigits: 4, useGrouping: false });

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
