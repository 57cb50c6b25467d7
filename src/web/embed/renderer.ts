// The entry of embed-answer.js: what shows the text of answers, and its styles.

export { answerText } from "../answer-text.ts";
export { default as css } from "./renderer.css";
