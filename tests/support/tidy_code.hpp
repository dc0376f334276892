// SPDX-License-Identifier: BSL-1.0
//
// Reads C++ as far as the tidy rules need it: what is code and what is text, and where functions
// begin and end. A reader of braces, no parser; it knows how this library is written.
#ifndef HAWSER_TESTS_SUPPORT_TIDY_CODE_HPP
#define HAWSER_TESTS_SUPPORT_TIDY_CODE_HPP

#include <cctype>
#include <set>
#include <string>
#include <vector>

namespace tidy {

struct source {
    std::vector<std::string> lines;
};

inline source source_of(std::string const& text) {
    source file;
    for (std::size_t at = 0; at < text.size();) {
        auto const end = std::min(text.find('\n', at), text.size());
        file.lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return file;
}

inline std::string text_of(source const& file) {
    std::string text;
    for (auto const& line : file.lines) text += line + '\n';
    return text;
}

inline bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// The end of the comment or literal that begins at `at`, or `at` if none does.
inline std::size_t end_of_text(std::string const& text, std::size_t at) {
    auto const after = [&](std::string const& end, std::size_t from) {
        auto const found = text.find(end, from);
        return found == std::string::npos ? text.size() : found + end.size();
    };
    if (text.compare(at, 2, "//") == 0) return after("\n", at) - 1;
    if (text.compare(at, 2, "/*") == 0) return after("*/", at + 2);
    if (text.compare(at, 2, "R\"") == 0) {
        auto const open = text.find('(', at);
        return after(")" + text.substr(at + 2, open - at - 2) + "\"", at);
    }
    // After a digit, ' separates thousands.
    bool const character = text[at] == '\'' && (at == 0 || !is_word(text[at - 1]));
    if (text[at] != '"' && !character) return at;
    auto end = at + 1;
    while (end < text.size() && text[end] != text[at]) end += text[end] == '\\' ? 2 : 1;
    return std::min(end + 1, text.size());
}

/// The file with comments and literals blanked out, line for line.
inline source code_of(source const& file) {
    auto text = text_of(file);
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto const end = end_of_text(text, at);
        if (end <= at) continue;
        for (; at != end; ++at)
            if (text[at] != '\n') text[at] = ' ';
        --at;
    }
    return source_of(text);
}

/// The headers a file includes, without brackets or quotes.
inline std::vector<std::string> includes_of(source const& file) {
    std::vector<std::string> headers;
    for (auto const& line : file.lines) {
        auto at = line.find_first_not_of(" \t");
        if (at == std::string::npos || line[at] != '#') continue;
        at = line.find_first_not_of(" \t", at + 1);
        if (at == std::string::npos || line.compare(at, 7, "include") != 0) continue;
        auto const open = line.find_first_of("<\"", at);
        auto const close = open == std::string::npos ? open : line.find_first_of(">\"", open + 1);
        if (close != std::string::npos) headers.push_back(line.substr(open + 1, close - open - 1));
    }
    return headers;
}

inline bool has_word(std::string const& text, std::string const& word) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        auto const end = at + word.size();
        if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end])))
            return true;
    }
    return false;
}

/// Whether a brace after `head` opens a namespace or a type, and not a function.
inline bool opens_scope(std::string const& head) {
    static std::set<std::string> const scopes{"namespace", "class", "struct",
                                              "union",     "enum",  "extern"};
    int depth = 0;
    std::string word, last;
    for (std::size_t at = 0; at <= head.size(); ++at) {
        char const c = at < head.size() ? head[at] : ' ';
        if (is_word(c)) {
            word += c;
            continue;
        }
        if (depth == 0 && scopes.contains(word)) return true;
        if (!word.empty()) last = word;
        word.clear();
        // Parameters of templates and functions name types, too: `template <class T>`.
        bool const parameters = c == '<' && (depth > 0 || last == "template" || last == "]");
        if (c == '(' || c == '[' || parameters) ++depth;
        if (depth > 0 && (c == ')' || c == ']' || c == '>')) --depth;
        if (!std::isspace(static_cast<unsigned char>(c))) last = c;
    }
    return false;
}

struct function {
    std::string head;
    std::size_t first_line = 0;
    std::size_t lines = 0;
};

/// Walks over code brace by brace and notes each function that is not inside another.
class function_reader {
public:
    explicit function_reader(source const& code) : text_{text_of(code)} { blank_directives(); }

    std::vector<function> read() {
        for (; at_ < text_.size(); ++at_) step();
        return found_;
    }

private:
    void blank_directives() {
        bool directive = false, begin = true;
        for (std::size_t at = 0; at < text_.size(); ++at) {
            if (text_[at] == '\n') {
                directive = directive && at > 0 && text_[at - 1] == '\\';
                begin = true;
                continue;
            }
            if (begin && text_[at] == '#') directive = true;
            begin = begin && std::isspace(static_cast<unsigned char>(text_[at]));
            // The backslash stays, for the line's end to be seen.
            if (directive && text_[at] != '\\') text_[at] = ' ';
        }
    }

    void step() {
        char const c = text_[at_];
        if (c == '\n') ++line_;
        if (braces_ > 0) {
            if (c == '{') ++braces_;
            if (c == '}' && --braces_ == 0) end_body();
        } else if (c == '{') {
            if (parentheses_ == 0 && opens_scope(head_))
                forget();
            else
                braces_ = 1;
        } else if (parentheses_ == 0 && (c == ';' || c == '}' || is_label(c))) {
            forget();
        } else {
            if (c == '(') ++parentheses_;
            if (c == ')' && parentheses_ > 0) --parentheses_;
            if (head_.empty() && std::isspace(static_cast<unsigned char>(c))) return;
            if (head_.empty()) first_line_ = line_;
            head_ += c == '\n' ? ' ' : c;
        }
    }

    bool is_label(char c) const {
        return c == ':' && (head_ == "public" || head_ == "private" || head_ == "protected");
    }

    void forget() {
        head_.clear();
        parentheses_ = 0;
    }

    void end_body() {
        // `a_{x}, b_{y} {`: the brace of a member's initialiser, with the body still to come.
        auto const next = text_.find_first_not_of(" \n", at_ + 1);
        bool const more = next != std::string::npos && (text_[next] == ',' || text_[next] == '{');
        if (more || parentheses_ > 0) return;
        if (head_.find('(') != std::string::npos)
            found_.push_back({head_, first_line_, line_ - first_line_ + 1});
        forget();
    }

    std::string text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::string head_;
    std::size_t first_line_ = 1;
    int parentheses_ = 0;
    int braces_ = 0;
    std::vector<function> found_;
};

inline std::vector<function> functions_of(source const& code) {
    return function_reader{code}.read();
}

}  // namespace tidy

#endif  // HAWSER_TESTS_SUPPORT_TIDY_CODE_HPP
