// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <string>

#include "services/segue/command_line.h"
#include "services/segue/console.h"

int main(int argc, char** argv) {
  using namespace segue::program;
  prepare_standard_files();
  try {
    return exit_code_after_output(run_command_line(argc, argv));
  } catch (const std::exception& exception) {
    complain(std::string("fault: ") + exception.what());
    return kFault;
  }
}
