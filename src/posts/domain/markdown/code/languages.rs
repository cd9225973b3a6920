//! The languages whose code is coloured: their names, and the words that they know.
//!
//! The lists of words are sorted, because they are searched by halves.

use super::{
    data::Data,
    words::{Quote, Words},
};

/// How the code of a language is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grammar {
    /// Comments, strings, numbers and words.
    Words(&'static Words),
    /// Elements with attributes; in a page, scripts and style sheets too.
    Markup { is_page: bool },
    /// Style sheets; with `//` comments if `is_nested`.
    Style { is_nested: bool },
    /// Keys and values.
    Data(Data),
    /// Lines that were added and removed.
    Difference,
}

/// The grammar of a language by one of its names, in lower case.
pub(super) fn named(name: &str) -> Option<Grammar> {
    Some(match name {
        "htm" | "html" | "svelte" | "vue" | "xhtml" => Grammar::Markup { is_page: true },
        "atom" | "plist" | "rss" | "svg" | "xml" | "xsd" | "xsl" | "xslt" => {
            Grammar::Markup { is_page: false }
        }
        "css" => Grammar::Style { is_nested: false },
        "less" | "sass" | "scss" => Grammar::Style { is_nested: true },
        "json" | "json5" | "jsonc" => Grammar::Data(Data::Json),
        "yaml" | "yml" => Grammar::Data(Data::Yaml),
        "toml" => Grammar::Data(Data::Toml),
        "cfg" | "conf" | "dotenv" | "editorconfig" | "env" | "ini" | "properties" => Grammar::Data(Data::Ini),
        "diff" | "patch" => Grammar::Difference,
        "rs" | "rust" => Grammar::Words(&RUST),
        "cjs" | "javascript" | "js" | "jsx" | "mjs" | "node" => Grammar::Words(&JAVASCRIPT),
        "mts" | "ts" | "tsx" | "typescript" => Grammar::Words(&TYPESCRIPT),
        "py" | "py3" | "python" | "python3" => Grammar::Words(&PYTHON),
        "bash" | "console" | "fish" | "sh" | "shell" | "shell-session" | "zsh" => Grammar::Words(&SHELL),
        "c" | "h" => Grammar::Words(&C),
        "c++" | "cc" | "cpp" | "cxx" | "hpp" => Grammar::Words(&CPP),
        "m" | "objc" | "objective-c" | "objectivec" => Grammar::Words(&OBJECTIVE_C),
        "c#" | "cs" | "csharp" => Grammar::Words(&CSHARP),
        "java" => Grammar::Words(&JAVA),
        "kotlin" | "kt" | "kts" => Grammar::Words(&KOTLIN),
        "swift" => Grammar::Words(&SWIFT),
        "go" | "golang" => Grammar::Words(&GO),
        "rb" | "ruby" => Grammar::Words(&RUBY),
        "php" => Grammar::Words(&PHP),
        "mysql" | "pgsql" | "postgres" | "postgresql" | "sql" | "sqlite" => Grammar::Words(&SQL),
        "lua" => Grammar::Words(&LUA),
        "perl" | "pl" | "pm" => Grammar::Words(&PERL),
        "r" => Grammar::Words(&R),
        "haskell" | "hs" => Grammar::Words(&HASKELL),
        "sbt" | "scala" => Grammar::Words(&SCALA),
        "dart" => Grammar::Words(&DART),
        "elixir" | "ex" | "exs" => Grammar::Words(&ELIXIR),
        "zig" => Grammar::Words(&ZIG),
        "gql" | "graphql" => Grammar::Words(&GRAPHQL),
        "docker" | "dockerfile" => Grammar::Words(&DOCKERFILE),
        "make" | "makefile" | "mk" => Grammar::Words(&MAKEFILE),
        "nix" => Grammar::Words(&NIX),
        "powershell" | "ps1" | "pwsh" => Grammar::Words(&POWERSHELL),
        "hcl" | "terraform" | "tf" => Grammar::Words(&TERRAFORM),
        "proto" | "protobuf" => Grammar::Words(&PROTOBUF),
        _ => return None,
    })
}

#[rustfmt::skip]
pub(super) static RUST: Words = Words {
    keywords: &[
        "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "fn",
        "for", "if", "impl", "in", "let", "loop", "macro_rules", "match", "mod", "move", "mut", "pub", "ref",
        "return", "self", "static", "struct", "super", "trait", "type", "union", "unsafe", "use", "where", "while",
    ],
    values: &["false", "true"],
    types: &["Self", "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128", "u16", "u32", "u64", "u8", "usize"],
    strings: &[Quote::RAW_RUST_2, Quote::RAW_RUST, Quote::DOUBLE_LONG],
    capitals: true,
    hash_attributes: true,
    lifetimes: true,
    macros: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static JAVASCRIPT: Words = Words {
    keywords: &[
        "as", "async", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default",
        "delete", "do", "else", "export", "extends", "finally", "for", "from", "function", "get", "if", "import",
        "in", "instanceof", "let", "new", "of", "return", "set", "static", "super", "switch", "this", "throw",
        "try", "typeof", "var", "void", "while", "with", "yield",
    ],
    values: &["Infinity", "NaN", "false", "null", "true", "undefined"],
    strings: &[Quote::DOUBLE, Quote::SINGLE, Quote::BACKTICK],
    at_attributes: true,
    capitals: true,
    dollar_words: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static TYPESCRIPT: Words = Words {
    keywords: &[
        "abstract", "as", "async", "await", "break", "case", "catch", "class", "const", "continue", "debugger",
        "declare", "default", "delete", "do", "else", "enum", "export", "extends", "finally", "for", "from",
        "function", "get", "if", "implements", "import", "in", "infer", "instanceof", "interface", "is", "keyof",
        "let", "module", "namespace", "new", "of", "override", "private", "protected", "public", "readonly",
        "return", "satisfies", "set", "static", "super", "switch", "this", "throw", "try", "type", "typeof", "var",
        "void", "while", "with", "yield",
    ],
    values: &["Infinity", "NaN", "false", "null", "true", "undefined"],
    types: &["any", "bigint", "boolean", "never", "number", "object", "string", "symbol", "unknown"],
    strings: &[Quote::DOUBLE, Quote::SINGLE, Quote::BACKTICK],
    at_attributes: true,
    capitals: true,
    dollar_words: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static PYTHON: Words = Words {
    keywords: &[
        "and", "as", "assert", "async", "await", "break", "case", "class", "continue", "def", "del", "elif",
        "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "match",
        "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ],
    values: &["False", "None", "True"],
    types: &["bool", "bytes", "dict", "float", "frozenset", "int", "list", "object", "set", "str", "tuple"],
    line_comments: &["#"],
    strings: &[Quote::TRIPLE_DOUBLE, Quote::TRIPLE_SINGLE, Quote::DOUBLE, Quote::SINGLE],
    at_attributes: true,
    capitals: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static SHELL: Words = Words {
    keywords: &[
        "break", "case", "continue", "do", "done", "elif", "else", "esac", "eval", "exec", "exit", "export", "fi",
        "for", "function", "if", "in", "local", "readonly", "return", "select", "set", "shift", "source", "then",
        "trap", "unset", "until", "while",
    ],
    values: &["false", "true"],
    line_comments: &["#"],
    strings: &[Quote::DOUBLE_LONG, Quote::SINGLE_PLAIN],
    comments_after_space: true,
    dollar_variables: true,
    ..Words::NONE
};

#[rustfmt::skip]
const C_TYPES: &[&str] = &["bool", "char", "double", "float", "int", "int16_t", "int32_t", "int64_t", "int8_t", "long", "short", "signed", "size_t", "ssize_t", "uint16_t", "uint32_t", "uint64_t", "uint8_t", "unsigned", "void"];

#[rustfmt::skip]
pub(super) static C: Words = Words {
    keywords: &[
        "auto", "break", "case", "const", "continue", "default", "do", "else", "enum", "extern", "for", "goto",
        "if", "inline", "register", "restrict", "return", "sizeof", "static", "struct", "switch", "typedef",
        "union", "volatile", "while",
    ],
    values: &["NULL", "false", "nullptr", "true"],
    types: C_TYPES,
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    hash_lines: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static CPP: Words = Words {
    keywords: &[
        "alignas", "alignof", "auto", "break", "case", "catch", "class", "co_await", "co_return", "co_yield",
        "concept", "const", "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete",
        "do", "dynamic_cast", "else", "enum", "explicit", "export", "extern", "final", "for", "friend", "goto",
        "if", "import", "inline", "module", "mutable", "namespace", "new", "noexcept", "operator", "override",
        "private", "protected", "public", "register", "reinterpret_cast", "requires", "restrict", "return",
        "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this", "throw", "try",
        "typedef", "typeid", "typename", "union", "using", "virtual", "volatile", "while",
    ],
    values: &["NULL", "false", "nullptr", "true"],
    types: &["bool", "char", "double", "float", "int", "int16_t", "int32_t", "int64_t", "int8_t", "long", "short", "signed", "size_t", "ssize_t", "string", "uint16_t", "uint32_t", "uint64_t", "uint8_t", "unsigned", "vector", "void", "wchar_t"],
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    capitals: true,
    hash_lines: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static OBJECTIVE_C: Words = Words {
    keywords: &[
        "auto", "break", "case", "const", "continue", "default", "do", "else", "enum", "extern", "for", "goto",
        "id", "if", "in", "inline", "nonatomic", "register", "restrict", "return", "self", "sizeof", "static",
        "strong", "struct", "super", "switch", "typedef", "union", "volatile", "weak", "while",
    ],
    values: &["NO", "NULL", "YES", "false", "nil", "true"],
    types: C_TYPES,
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    at_attributes: true,
    capitals: true,
    hash_lines: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static CSHARP: Words = Words {
    keywords: &[
        "abstract", "as", "async", "await", "base", "break", "case", "catch", "checked", "class", "const",
        "continue", "default", "delegate", "do", "else", "enum", "event", "explicit", "extern", "finally", "fixed",
        "for", "foreach", "get", "goto", "if", "implicit", "in", "init", "interface", "internal", "is", "lock",
        "namespace", "new", "operator", "out", "override", "params", "private", "protected", "public", "readonly",
        "record", "ref", "return", "sealed", "set", "sizeof", "stackalloc", "static", "struct", "switch", "this",
        "throw", "try", "typeof", "unchecked", "unsafe", "using", "value", "var", "virtual", "volatile", "when",
        "where", "while", "with", "yield",
    ],
    values: &["false", "null", "true"],
    types: &["bool", "byte", "char", "decimal", "double", "dynamic", "float", "int", "long", "object", "sbyte", "short", "string", "uint", "ulong", "ushort", "void"],
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    capitals: true,
    hash_lines: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static JAVA: Words = Words {
    keywords: &[
        "abstract", "assert", "break", "case", "catch", "class", "continue", "default", "do", "else", "enum",
        "extends", "final", "finally", "for", "if", "implements", "import", "instanceof", "interface", "native",
        "new", "non-sealed", "package", "permits", "private", "protected", "public", "record", "return", "sealed",
        "static", "strictfp", "super", "switch", "synchronized", "this", "throw", "throws", "transient", "try",
        "var", "volatile", "while", "yield",
    ],
    values: &["false", "null", "true"],
    types: &["boolean", "byte", "char", "double", "float", "int", "long", "short", "void"],
    strings: &[Quote::TRIPLE_DOUBLE, Quote::DOUBLE, Quote::SINGLE],
    at_attributes: true,
    capitals: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static KOTLIN: Words = Words {
    keywords: &[
        "abstract", "as", "break", "by", "catch", "class", "companion", "const", "constructor", "continue", "data",
        "do", "else", "enum", "external", "final", "finally", "for", "fun", "if", "import", "in", "infix", "init",
        "inline", "inner", "interface", "internal", "is", "lateinit", "object", "open", "operator", "out",
        "override", "package", "private", "protected", "public", "return", "sealed", "super", "suspend", "tailrec",
        "this", "throw", "try", "typealias", "val", "var", "vararg", "when", "where", "while",
    ],
    values: &["false", "null", "true"],
    strings: &[Quote::TRIPLE_DOUBLE, Quote::DOUBLE, Quote::SINGLE],
    at_attributes: true,
    capitals: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static SWIFT: Words = Words {
    keywords: &[
        "actor", "any", "as", "associatedtype", "async", "await", "break", "case", "catch", "class", "continue",
        "convenience", "default", "defer", "deinit", "do", "else", "enum", "extension", "fallthrough",
        "fileprivate", "final", "for", "func", "get", "guard", "if", "import", "in", "indirect", "init", "inout",
        "internal", "is", "lazy", "let", "mutating", "open", "operator", "override", "private", "protocol",
        "public", "repeat", "required", "rethrows", "return", "self", "set", "some", "static", "struct",
        "subscript", "super", "switch", "throw", "throws", "try", "typealias", "unowned", "var", "weak", "where",
        "while",
    ],
    values: &["false", "nil", "true"],
    strings: &[Quote::TRIPLE_DOUBLE, Quote::DOUBLE],
    at_attributes: true,
    capitals: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static GO: Words = Words {
    keywords: &[
        "break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough", "for", "func",
        "go", "goto", "if", "import", "interface", "map", "package", "range", "return", "select", "struct",
        "switch", "type", "var",
    ],
    values: &["false", "iota", "nil", "true"],
    types: &["any", "bool", "byte", "comparable", "complex128", "complex64", "error", "float32", "float64", "int", "int16", "int32", "int64", "int8", "rune", "string", "uint", "uint16", "uint32", "uint64", "uint8", "uintptr"],
    strings: &[Quote::DOUBLE, Quote::SINGLE, Quote::BACKTICK_PLAIN],
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static RUBY: Words = Words {
    keywords: &[
        "alias", "and", "attr_accessor", "attr_reader", "attr_writer", "begin", "break", "case", "class", "def",
        "defined?", "do", "else", "elsif", "end", "ensure", "extend", "for", "if", "in", "include", "module",
        "next", "not", "or", "private", "protected", "public", "raise", "redo", "require", "require_relative",
        "rescue", "retry", "return", "self", "super", "then", "undef", "unless", "until", "when", "while", "yield",
    ],
    values: &["false", "nil", "true"],
    line_comments: &["#"],
    block_comments: &[("=begin", "=end")],
    strings: &[Quote::DOUBLE, Quote::SINGLE, Quote::BACKTICK],
    at_variables: true,
    capitals: true,
    dollar_variables: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static PHP: Words = Words {
    keywords: &[
        "abstract", "and", "as", "break", "callable", "case", "catch", "class", "clone", "const", "continue",
        "declare", "default", "do", "echo", "else", "elseif", "empty", "enum", "extends", "final", "finally", "fn",
        "for", "foreach", "function", "global", "goto", "if", "implements", "include", "include_once",
        "instanceof", "insteadof", "interface", "isset", "list", "match", "namespace", "new", "or", "print",
        "private", "protected", "public", "readonly", "require", "require_once", "return", "static", "switch",
        "throw", "trait", "try", "unset", "use", "var", "while", "xor", "yield",
    ],
    values: &["FALSE", "NULL", "TRUE", "false", "null", "true"],
    types: &["array", "bool", "float", "int", "iterable", "mixed", "never", "object", "string", "void"],
    line_comments: &["//", "#"],
    block_comments: &[("/*", "*/")],
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    capitals: true,
    dollar_variables: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static SQL: Words = Words {
    keywords: &[
        "add", "all", "alter", "analyze", "and", "as", "asc", "begin", "between", "by", "cascade", "case", "check",
        "column", "commit", "conflict", "constraint", "create", "cross", "database", "default", "delete", "desc",
        "distinct", "do", "drop", "else", "end", "except", "exists", "explain", "for", "foreign", "from", "full",
        "function", "grant", "group", "having", "if", "in", "index", "inner", "insert", "intersect", "into", "is",
        "join", "key", "lateral", "left", "like", "limit", "natural", "not", "nothing", "offset", "on", "or",
        "order", "outer", "over", "partition", "primary", "references", "replace", "returning", "returns",
        "revoke", "right", "rollback", "row", "rows", "select", "set", "table", "temporary", "then", "to",
        "transaction", "trigger", "truncate", "union", "unique", "update", "using", "values", "view", "when",
        "where", "window", "with", "without",
    ],
    values: &["false", "null", "true"],
    types: &["array", "bigint", "blob", "boolean", "bytea", "char", "character", "date", "decimal", "double", "float", "int", "integer", "interval", "json", "jsonb", "numeric", "precision", "real", "serial", "smallint", "text", "time", "timestamp", "timestamptz", "uuid", "varchar"],
    line_comments: &["--"],
    block_comments: &[("/*", "*/")],
    strings: &[Quote::SINGLE_DOUBLED, Quote::DOUBLE],
    dollar_variables: true,
    ignores_case: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static LUA: Words = Words {
    keywords: &[
        "and", "break", "do", "else", "elseif", "end", "for", "function", "goto", "if", "in", "local", "not", "or",
        "repeat", "return", "then", "until", "while",
    ],
    values: &["false", "nil", "true"],
    line_comments: &["--"],
    block_comments: &[("--[[", "]]")],
    strings: &[Quote::DOUBLE, Quote::SINGLE, Quote::LUA_LONG],
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static PERL: Words = Words {
    keywords: &[
        "and", "chomp", "cmp", "die", "do", "else", "elsif", "eq", "for", "foreach", "ge", "gt", "if", "last",
        "le", "local", "lt", "my", "ne", "next", "no", "not", "or", "our", "package", "print", "push", "redo",
        "require", "return", "say", "shift", "sub", "unless", "until", "use", "while",
    ],
    values: &["undef"],
    line_comments: &["#"],
    block_comments: &[("=pod", "=cut")],
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    at_variables: true,
    dollar_variables: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static R: Words = Words {
    keywords: &[
        "break", "else", "for", "function", "if", "in", "library", "next", "repeat", "return", "while",
    ],
    values: &["FALSE", "Inf", "NA", "NULL", "NaN", "TRUE"],
    line_comments: &["#"],
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static HASKELL: Words = Words {
    keywords: &[
        "as", "case", "class", "data", "deriving", "do", "else", "forall", "foreign", "hiding", "if", "import",
        "in", "infix", "infixl", "infixr", "instance", "let", "module", "newtype", "of", "qualified", "then",
        "type", "where",
    ],
    line_comments: &["--"],
    block_comments: &[("{-", "-}")],
    strings: &[Quote::DOUBLE],
    capitals: true,
    lifetimes: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static SCALA: Words = Words {
    keywords: &[
        "abstract", "case", "catch", "class", "def", "do", "else", "enum", "export", "extends", "extension",
        "final", "finally", "for", "forSome", "given", "if", "implicit", "import", "inline", "lazy", "match",
        "new", "object", "opaque", "override", "package", "private", "protected", "return", "sealed", "super",
        "then", "this", "throw", "trait", "try", "type", "using", "val", "var", "while", "with", "yield",
    ],
    values: &["false", "null", "true"],
    strings: &[Quote::TRIPLE_DOUBLE, Quote::DOUBLE, Quote::SINGLE],
    at_attributes: true,
    capitals: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static DART: Words = Words {
    keywords: &[
        "abstract", "as", "assert", "async", "await", "base", "break", "case", "catch", "class", "const",
        "continue", "covariant", "default", "deferred", "do", "else", "enum", "export", "extends", "extension",
        "external", "factory", "final", "finally", "for", "get", "if", "implements", "import", "in", "interface",
        "is", "late", "library", "mixin", "new", "of", "on", "operator", "part", "required", "rethrow", "return",
        "sealed", "set", "show", "static", "super", "switch", "sync", "this", "throw", "try", "typedef", "var",
        "when", "while", "with", "yield",
    ],
    values: &["false", "null", "true"],
    types: &["bool", "double", "dynamic", "int", "num", "void"],
    strings: &[Quote::TRIPLE_DOUBLE, Quote::TRIPLE_SINGLE, Quote::DOUBLE, Quote::SINGLE],
    at_attributes: true,
    capitals: true,
    ..Words::LIKE_C
};

#[rustfmt::skip]
pub(super) static ELIXIR: Words = Words {
    keywords: &[
        "after", "alias", "and", "case", "catch", "cond", "def", "defimpl", "defmacro", "defmodule", "defp",
        "defprotocol", "defstruct", "do", "else", "end", "fn", "for", "if", "import", "in", "not", "or", "quote",
        "raise", "receive", "require", "rescue", "try", "unless", "unquote", "use", "when", "with",
    ],
    values: &["false", "nil", "true"],
    line_comments: &["#"],
    strings: &[Quote::TRIPLE_DOUBLE, Quote::DOUBLE, Quote::SINGLE],
    at_attributes: true,
    capitals: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static ZIG: Words = Words {
    keywords: &[
        "align", "and", "asm", "async", "await", "break", "catch", "comptime", "const", "continue", "defer",
        "else", "enum", "errdefer", "error", "export", "extern", "fn", "for", "if", "inline", "noalias", "or",
        "orelse", "packed", "pub", "resume", "return", "struct", "suspend", "switch", "test", "threadlocal", "try",
        "union", "unreachable", "usingnamespace", "var", "volatile", "while",
    ],
    values: &["false", "null", "true", "undefined"],
    types: &["anyerror", "anyopaque", "anytype", "bool", "f16", "f32", "f64", "i16", "i32", "i64", "i8", "isize", "noreturn", "type", "u16", "u32", "u64", "u8", "usize", "void"],
    line_comments: &["//"],
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    at_attributes: true,
    capitals: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static GRAPHQL: Words = Words {
    keywords: &[
        "directive", "enum", "extend", "fragment", "implements", "input", "interface", "mutation", "on", "query",
        "repeatable", "scalar", "schema", "subscription", "type", "union",
    ],
    values: &["false", "null", "true"],
    types: &["Boolean", "Float", "ID", "Int", "String"],
    line_comments: &["#"],
    strings: &[Quote::TRIPLE_DOUBLE, Quote::DOUBLE],
    at_attributes: true,
    capitals: true,
    dollar_variables: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static DOCKERFILE: Words = Words {
    keywords: &[
        "add", "arg", "as", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label",
        "maintainer", "onbuild", "run", "shell", "stopsignal", "user", "volume", "workdir",
    ],
    line_comments: &["#"],
    strings: &[Quote::DOUBLE_LONG, Quote::SINGLE],
    capital_keywords: true,
    comments_after_space: true,
    dollar_variables: true,
    ignores_case: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static MAKEFILE: Words = Words {
    keywords: &[
        "define", "else", "endef", "endif", "export", "ifdef", "ifeq", "ifndef", "ifneq", "include", "override",
        "unexport", "vpath",
    ],
    line_comments: &["#"],
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    dollar_variables: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static NIX: Words = Words {
    keywords: &[
        "assert", "else", "if", "in", "inherit", "let", "or", "rec", "then", "with",
    ],
    values: &["false", "null", "true"],
    line_comments: &["#"],
    block_comments: &[("/*", "*/")],
    strings: &[Quote::DOUBLE_LONG, Quote::NIX_LONG],
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static POWERSHELL: Words = Words {
    keywords: &[
        "begin", "break", "catch", "class", "continue", "data", "do", "dynamicparam", "else", "elseif", "end",
        "enum", "exit", "filter", "finally", "for", "foreach", "function", "if", "in", "param", "process",
        "return", "switch", "throw", "trap", "try", "until", "using", "while",
    ],
    line_comments: &["#"],
    block_comments: &[("<#", "#>")],
    strings: &[Quote::DOUBLE_POWERSHELL, Quote::SINGLE_DOUBLED],
    dollar_variables: true,
    ignores_case: true,
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static TERRAFORM: Words = Words {
    keywords: &[
        "data", "dynamic", "else", "for", "if", "in", "locals", "module", "output", "provider", "resource",
        "terraform", "variable",
    ],
    values: &["false", "null", "true"],
    types: &["any", "bool", "list", "map", "number", "object", "set", "string", "tuple"],
    line_comments: &["#", "//"],
    block_comments: &[("/*", "*/")],
    strings: &[Quote::DOUBLE],
    ..Words::NONE
};

#[rustfmt::skip]
pub(super) static PROTOBUF: Words = Words {
    keywords: &[
        "enum", "extend", "extensions", "import", "map", "message", "oneof", "option", "optional", "package",
        "public", "repeated", "required", "reserved", "returns", "rpc", "service", "stream", "syntax", "to",
        "weak",
    ],
    values: &["false", "true"],
    types: &["bool", "bytes", "double", "fixed32", "fixed64", "float", "int32", "int64", "sfixed32", "sfixed64", "sint32", "sint64", "string", "uint32", "uint64"],
    strings: &[Quote::DOUBLE, Quote::SINGLE],
    capitals: true,
    ..Words::LIKE_C
};
