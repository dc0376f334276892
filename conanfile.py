# SPDX-License-Identifier: BSL-1.0
#
# conan create . --build=missing
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class HawserConan(ConanFile):
    name = "hawser"
    description = "Resilience patterns that compose"
    license = "BSL-1.0"
    topics = ("resilience", "circuit-breaker", "retry", "rate-limiter", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_asio": [True, False], "with_abseil": [True, False],
               "with_redis": [True, False]}
    default_options = {"with_asio": True, "with_abseil": False, "with_redis": False}
    exports_sources = "include/*", "LICENSE"
    no_copy_source = True

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "include/hawser/version.hpp"))
        parts = re.findall(r"#define HAWSER_VERSION_\w+ (\d+)", text)
        self.version = ".".join(parts)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        if self.options.with_asio:
            self.requires("boost/[>=1.81]", options={"header_only": True}, transitive_headers=True)
        if self.options.with_abseil:
            self.requires("abseil/[>=20220623]", transitive_headers=True, transitive_libs=True)
        if self.options.with_redis:
            self.requires("hiredis/[>=1.0]", transitive_headers=True, transitive_libs=True)

    def package_id(self):
        # The settings are there for the check below and for the test package; the headers are the
        # same for all.
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"),
             os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self._component("hawser", [])
        self._component("expected", ["hawser"])
        if self.options.with_asio:
            self._component("asio", ["hawser", "boost::headers"])
            self._component("boost_system", ["hawser", "boost::headers"])
        if self.options.with_abseil:
            self._component("abseil", ["hawser", "abseil::absl_status", "abseil::absl_statusor"])
        if self.options.with_redis:
            self._component("redis", ["hawser", "hiredis::hiredis"])

    def _component(self, name, requires):
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", f"hawser::{name}")
        component.set_property("pkg_config_name", "hawser" if name == "hawser" else f"hawser-{name}")
        component.bindirs = []
        component.libdirs = []
        component.requires = requires
        if name == "hawser" and self.settings.os in ("Linux", "FreeBSD"):
            component.system_libs = ["pthread"]
