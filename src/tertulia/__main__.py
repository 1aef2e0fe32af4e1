from tertulia.project.cli import main

main()
